/** The sentences on failed exchanges: each case says what was seen, why most likely, and what helps. */

import { describe, expect, test } from 'vitest';
import { ERROR_CODES } from '../../../src/errors.ts';
import type { ErrorCode } from '../../../src/errors.ts';
import {
  explain,
  explainSurplus,
  explainTrailers,
  explainUnverifiable,
} from '../../../src/exchange/explain.ts';
import type { ExplainInput, Explanation } from '../../../src/exchange/explain.ts';
import { connectFailed, notHttp, UNASKED_SWITCH } from '../../../src/upstream/evidence.ts';
import type {
  ConnectFailed,
  Ending,
  Evidence,
  Limit,
  ParseFault,
  RequestBodySent,
} from '../../../src/upstream/evidence.ts';
import { endingOf, evidence, silence } from '../upstream/evidence-fixtures.ts';
import type { Changes } from '../upstream/evidence-fixtures.ts';
import { judge } from '../../../src/upstream/verdict.ts';

const SETTINGS: ExplainInput['settings'] = {
  withholdBody: 'auto',
  bodyHoldMs: 100,
  retries: 2,
  waitForUpstreamMs: 10_000,
  connectTimeoutMs: 5_000,
  firstByteTimeoutMs: 300_000,
  bodyIdleTimeoutMs: 60_000,
  maxHeaderBytes: 65_536,
  maxResponseBodyBytes: 4_294_967_296,
};

const NOTHING: Evidence = silence({ ending: 'fin' });

const connectFailure = (errorCode: string): ConnectFailed =>
  connectFailed({ errorCode, timedOut: false, detail: null });

const BEGUN: Changes = { head: { minor: 1, status: 200, reason: 'OK', fields: [] }, headBytes: 90 };
const PART_OF_LENGTH: Changes = {
  ...BEGUN,
  framing: { kind: 'length', length: 51_200 },
  bodyBytes: 30_000,
};

function explained(
  { ending = 'fin', ...changes }: Changes,
  more: Partial<Omit<ExplainInput, 'settings'>> & { settings?: Partial<ExplainInput['settings']> } = {},
): Explanation {
  const whole = { ...NOTHING, ...changes, ending: endingOf(ending) };
  const settings = { ...SETTINGS, ...more.settings };
  const target = 'http://127.0.0.1:8000';
  return explain({
    verdict: judge(whole),
    evidence: whole,
    attempts: 3,
    target,
    waitedMs: 0,
    ...more,
    settings,
  });
}

describe('a cut response', () => {
  test('that was reset after a sent request body tells of the unread body, and of withholding', () => {
    const length = 5_000_000;
    expect(
      explained({
        ...BEGUN,
        ending: 'rst',
        framing: { kind: 'length', length },
        bodyBytes: 3_145_728,
        requestBody: 'whole',
      }),
    ).toEqual({
      code: 'response_truncated',
      sentence: expect.stringMatching(
        /reset .* 3,145,728 of 5,000,000 bytes \(3 attempts\): .*request body unread\. .*--withhold-body always\.$/,
      ),
      remedy: expect.stringContaining('--withhold-body always'),
      more: expect.stringContaining('The request body had been sent.'),
      expected: length,
      received: 3_145_728,
      end: 'RST',
    });
  });

  test('advises a longer hold where bodies are always withheld already', () => {
    const { remedy } = explained(
      { ...PART_OF_LENGTH, ending: 'rst', requestBody: 'whole' },
      { settings: { withholdBody: 'always' } },
    );
    expect(remedy).toContain('raise --body-hold above 100 ms');
  });

  test.each([
    ['partly', 'closed before reading the body'],
    ['withheld', 'process'],
    ['none', 'process'],
  ] as const)('that was reset with the request body %s names that cause', (requestBody, cause) => {
    const { sentence, more } = explained({ ...PART_OF_LENGTH, ending: 'rst', requestBody });
    expect(sentence).toContain(cause);
    expect(more).toContain(requestBody === 'partly' ? 'discards' : 'body');
  });

  test('that was closed cleanly blames no unread body', () => {
    const { sentence, more, end } = explained({ ...PART_OF_LENGTH, ending: 'fin', requestBody: 'whole' });
    expect(sentence).toContain('closed the connection after 30,000 of 51,200 bytes');
    expect(more).toContain('The request body had been sent.');
    expect(sentence).toContain('Content-Length');
    expect(`${sentence} ${more}`).not.toContain('unread');
    expect(end).toBe('FIN');
  });

  test('that was tried once says why it was not retried', () => {
    const once = { attempts: 1 };
    expect(explained({ ...PART_OF_LENGTH, ending: 'fin' }, once).more).toContain('no Idempotency-Key');
    expect(explained({ ...PART_OF_LENGTH, ending: 'fin' }, once).sentence).not.toContain('attempts');
    const never = { attempts: 1, settings: { retries: 0 } };
    expect(explained({ ...PART_OF_LENGTH, ending: 'fin' }, never).more).toBeNull();
    expect(explained({ ...PART_OF_LENGTH, ending: 'fin', streamed: true }, once).more).toBeNull();
    expect(
      explained({ ...PART_OF_LENGTH, ending: 'timeout' }, once).more,
      'never after a timeout',
    ).toBeNull();
  });

  test('in chunks has no expected length', () => {
    const { sentence, expected, received } = explained({
      ...BEGUN,
      ending: 'fin',
      framing: { kind: 'chunked' },
      bodyBytes: 1,
    });
    expect(sentence).toContain('after 1 byte, before the last chunk');
    expect([expected, received]).toEqual([null, 1]);
  });

  test('that ends with the connection and was reset is said to have no length', () => {
    const { sentence } = explained({ ...BEGUN, ending: 'rst', framing: { kind: 'close' }, bodyBytes: 70 });
    expect(sentence).toContain('reset the connection after 70 bytes (no declared length)');
  });
});

/** [what, evidence, code, end, words of the sentence]. */
type Case = readonly [string, Changes, ErrorCode, Explanation['end'], readonly string[]];

const malformedBodies = (rows: ReadonlyArray<readonly [fault: ParseFault, ...words: string[]]>): Case[] =>
  rows.map(([fault, ...words]) => [
    `malformed chunks: ${fault}`,
    {
      ...BEGUN,
      ending: { kind: 'parse-error', fault, detail: 'why' },
      framing: { kind: 'chunked' },
      bodyBytes: 5,
    },
    'response_malformed',
    'parse-error',
    words,
  ]);

const CASES: readonly Case[] = [
  ['a silent close', { ending: 'fin' }, 'no_response', 'FIN', ['closed the connection without', '--target']],
  [
    'a silent reset',
    { ending: 'rst', requestBody: 'whole' },
    'no_response',
    'RST',
    ['reset the connection without', '--withhold-body always'],
  ],
  [
    'a stale connection',
    { ending: 'rst', reusedConnection: true },
    'no_response',
    'RST',
    ['--upstream-idle-timeout'],
  ],
  [
    'no first byte',
    { ending: { kind: 'timeout', waitedFor: 'first-byte' }, requestBody: 'whole' },
    'first_byte_timeout',
    'timeout',
    ['within 300 s', 'breakpoint', '--first-byte-timeout'],
  ],
  [
    'no first byte and a body that is not taken',
    { ending: { kind: 'timeout', waitedFor: 'first-byte' }, requestBody: 'partly' },
    'first_byte_timeout',
    'timeout',
    ['does not read the request body'],
  ],
  [
    'a cut head',
    { ending: 'fin', headBytes: 17 },
    'response_truncated',
    'FIN',
    ['response head', 'after 17 bytes'],
  ],
  [
    'a reset head',
    { ending: 'rst', headBytes: 17 },
    'response_truncated',
    'RST',
    ['reset the connection', 'response head'],
  ],
  [
    'a stalled head',
    { ending: { kind: 'timeout', waitedFor: 'first-byte' }, headBytes: 1 },
    'response_stalled',
    'timeout',
    ['for 300 s', 'after 1 byte'],
  ],
  [
    'a stalled length',
    { ...PART_OF_LENGTH, ending: 'timeout' },
    'response_stalled',
    'timeout',
    ['sent nothing for 60 s after 30,000 of 51,200 bytes', 'probably too large', '--body-idle-timeout'],
  ],
  [
    'a stalled stream',
    { ...BEGUN, ending: 'timeout', framing: { kind: 'chunked' } },
    'response_stalled',
    'timeout',
    ['--stream'],
  ],
  [
    'a malformed head',
    {
      ending: { kind: 'parse-error', fault: 'head', detail: 'the field name "Foo Bar" holds a space' },
      headBytes: 40,
    },
    'response_malformed',
    'parse-error',
    ['is not valid HTTP (the field name "Foo Bar" holds a space)'],
  ],
  [
    'broken chunks',
    {
      ...BEGUN,
      ending: notHttp('chunk-size', 'the chunk size is "zz"'),
      framing: { kind: 'chunked' },
      bodyBytes: 5,
    },
    'response_malformed',
    'parse-error',
    ['malformed chunks after 5 bytes (the chunk size is "zz")'],
  ],
  ...malformedBodies([
    ['chunk-size', 'malformed chunks after 5 bytes', 'Let only the server write'],
    ['chunk-end', 'malformed chunks after 5 bytes', 'Count the bytes of each chunk'],
    ['body', 'malformed chunks after 5 bytes', 'Let only the server write'],
    ['chunk-extension', 'malformed chunks after 5 bytes', 'without extensions'],
    ['trailer', 'malformed trailers after a body of 5 bytes', 'leave them out'],
  ]),
  [
    'a malformed length',
    { ...BEGUN, ending: { kind: 'parse-error', fault: 'length', detail: 'why' }, framing: null },
    'response_malformed',
    'parse-error',
    ['invalid Content-Length (why)', 'Send Content-Length once'],
  ],
  [
    'a switch that nobody asked for',
    { ending: UNASKED_SWITCH },
    'response_malformed',
    'parse-error',
    ['switched protocols', 'Upgrade field'],
  ],
  [
    'another protocol',
    {
      ending: {
        kind: 'parse-error',
        fault: 'not-http',
        detail: 'it does not begin with HTTP/1.1 but with "SSH-2"',
      },
    },
    'response_malformed',
    'parse-error',
    ['in HTTP (it does not begin', '--target'],
  ],
  [
    'an unknown coding',
    { ...BEGUN, ending: { kind: 'parse-error', fault: 'coding', detail: 'the coding is gzip' } },
    'response_coding',
    'parse-error',
    ['transfer coding', 'Content-Encoding'],
  ],
  [
    'a large head',
    { ending: { kind: 'limit', limit: 'head', detail: 'why' }, headBytes: 70_000 },
    'response_head_too_large',
    'limit',
    ['more than 65,536 bytes', '--max-header'],
  ],
  [
    'a large announced body',
    {
      ...BEGUN,
      ending: { kind: 'limit', limit: 'body', detail: 'why' },
      framing: { kind: 'length', length: 5e9 },
    },
    'response_too_large',
    'limit',
    ['announced 5,000,000,000 bytes', 'limit of 4,294,967,296 bytes', '--max-response-body'],
  ],
  [
    'a large chunked body',
    {
      ...BEGUN,
      ending: { kind: 'limit', limit: 'body', detail: 'why' },
      framing: { kind: 'chunked' },
      bodyBytes: 5e9,
    },
    'response_too_large',
    'limit',
    ['sent 5,000,000,000 bytes'],
  ],
  [
    'a full spool',
    {
      ...BEGUN,
      ending: { kind: 'limit', limit: 'spool', detail: 'all bodies need more than --memory-total' },
    },
    'spool_exhausted',
    'limit',
    ['could not be buffered', '(all bodies need more than --memory-total)', '--disk-total'],
  ],
  [
    'a client that left',
    { ...PART_OF_LENGTH, ending: 'client-gone' },
    'internal_error',
    null,
    ['client disconnected'],
  ],
  [
    'a whole response',
    { ...PART_OF_LENGTH, ending: 'message-end' },
    'internal_error',
    null,
    ['bug in lastbyte'],
  ],
];

test.each(CASES)('%s is explained', (_what, changes, code, end, words) => {
  const explanation = explained(changes);
  expect(explanation).toMatchObject({ code, end });
  for (const word of words) expect(explanation.sentence).toContain(word);
});

/** [the system's code, error code, words of the sentence]. */
const CONNECT_CASES: ReadonlyArray<readonly [string, ErrorCode, string]> = [
  ['ECONNREFUSED', 'upstream_refused', 'refused the connection: nothing listens'],
  ['ENOENT', 'upstream_refused', 'has no socket file'],
  ['EACCES', 'upstream_unreachable', '(EACCES)'],
  ['ENOTFOUND', 'upstream_not_found', 'does not resolve (ENOTFOUND)'],
  ['EAI_AGAIN', 'upstream_not_found', 'cannot be looked up (EAI_AGAIN)'],
  ['EHOSTUNREACH', 'upstream_unreachable', 'no route'],
  ['ETIMEDOUT', 'connect_timeout', 'did not accept a connection within 5 s'],
  ['ECONNRESET', 'upstream_unreachable', 'dropped the connection as it was opened'],
  ['EMFILE', 'out_of_descriptors', 'ulimit -n'],
  ['CERT_HAS_EXPIRED', 'upstream_certificate', 'Renew it'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'upstream_certificate', 'self-signed'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'upstream_certificate', 'self-signed'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'upstream_certificate', 'for another name'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'upstream_certificate', '--insecure'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'upstream_certificate', 'unverifiable'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'upstream_tls', 'http:// instead of https://'],
  ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'upstream_tls', 'could not agree on TLS'],
  ['EPROTO', 'upstream_tls', 'could not agree on TLS'],
  ['ESOMETHING', 'upstream_unreachable', 'could not be connected to (ESOMETHING)'],
];

describe('a connection that could not be made', () => {
  test.each(CONNECT_CASES)('with %s is explained', (errorCode, code, words) => {
    const { sentence, ...rest } = explained({ ending: connectFailure(errorCode) }, { attempts: 1 });
    expect(rest).toMatchObject({ code, end: null, expected: null, received: 0 });
    expect(sentence).toContain(words);
  });

  test('because the clock ran out is a timeout, whatever its code', () => {
    const timedOut = explained({
      ending: { ...connectFailure('ECONNABORTED'), timedOut: true },
    });
    expect(timedOut).toMatchObject({ code: 'connect_timeout', end: 'timeout' });
  });

  test('although it was waited for tells how long, and how to wait longer', () => {
    const refused: Changes = { ending: connectFailure('ECONNREFUSED') };
    const { sentence } = explained(refused, { waitedMs: 10_040, attempts: 23 });
    expect(sentence).toMatch(
      /^The upstream http:\/\/127\.0\.0\.1:8000 refused .* 10 s \(23 attempts\): .*--wait-for-upstream above 10 s\.$/,
    );
    const { remedy } = explained(refused, { settings: { waitForUpstreamMs: 0 } });
    expect(remedy).toContain('set --wait-for-upstream.');
  });

  test('and is reset in the handshake is about TLS only where TLS was meant', () => {
    const target = 'https://127.0.0.1:8443';
    expect(explained({ ending: connectFailure('ECONNRESET') }, { target }).code).toBe('upstream_tls');
  });
});

test('whatever was observed, the sentence is whole and fits a line of a log, and the code is known', () => {
  const connects = ['', ...CONNECT_CASES.map(([errorCode]) => errorCode)].flatMap((errorCode): Ending[] =>
    [true, false].map((timedOut) => ({ kind: 'connect-failed', errorCode, timedOut, detail: null })),
  );
  const endings: Ending[] = [
    { kind: 'message-end' },
    { kind: 'fin' },
    { kind: 'rst', errorCode: 'ECONNRESET', missesCloseNotify: false },
    { kind: 'rst', errorCode: null, missesCloseNotify: true },
    { kind: 'timeout', waitedFor: 'first-byte' },
    { kind: 'timeout', waitedFor: 'body-idle' },
    ...PARSE_FAULTS.map((fault): Ending => ({ kind: 'parse-error', fault, detail: 'why' })),
    ...LIMITS.map((limit): Ending => ({ kind: 'limit', limit, detail: 'why' })),
    ...connects,
    { kind: 'client-gone' },
  ];
  const bodies: RequestBodySent[] = ['none', 'withheld', 'partly', 'whole'];
  const framings: Array<Evidence['framing']> = [
    null,
    { kind: 'none' },
    { kind: 'chunked' },
    { kind: 'close' },
    { kind: 'length', length: 5_000_000_000 },
  ];
  for (const ending of endings)
    for (const requestBody of bodies)
      for (const framing of framings) {
        const begun = framing === null ? {} : BEGUN;
        for (const attempts of [1, 3]) {
          const seen = {
            ...begun,
            ending,
            requestBody,
            framing,
            headBytes: framing === null ? 0 : 65_536,
            bodyBytes: framing === null ? 0 : 4_294_967_296,
          };
          const waitedMs = attempts === 1 ? 0 : 10_000;
          const { code, sentence, remedy, more } = explained(seen, { attempts, waitedMs });
          expect(ERROR_CODES).toContain(code);
          expect(sentence).toMatch(/^The upstream (http:\/\/127\.0\.0\.1:8000 )?[a-z].+\. [A-Z].+[^.]\.$/);
          expect(sentence.length, sentence).toBeLessThanOrEqual(200);
          expect(remedy).toMatch(/^[A-Z].*\.$/);
          expect(more ?? 'None.').toMatch(/^[A-Z].*[^.]\.$/);
          expect(`${sentence} ${more ?? ''}`).not.toMatch(/undefined|null|NaN|\[object|\.\./);
        }
      }
});

const PARSE_FAULTS: readonly ParseFault[] = [
  'not-http',
  'head',
  'length',
  'coding',
  'switch',
  'chunk-size',
  'chunk-extension',
  'chunk-end',
  'trailer',
  'body',
];
const LIMITS: readonly Limit[] = ['head', 'body', 'spool'];

describe('a delivered response', () => {
  const whole: Evidence = evidence({ ...BEGUN, framing: { kind: 'chunked' }, bodyBytes: 40 });

  test('without a length is noted as not provable', () => {
    const closed: Evidence = {
      ...whole,
      ending: { kind: 'fin' },
      framing: { kind: 'close' },
      bodyBytes: 1_234,
    };
    expect(explainUnverifiable(closed)).toContain('closed cleanly after 1,234 bytes');
    expect(
      explainUnverifiable({ ...closed, head: { minor: 0, status: 200, reason: '', fields: [] } }),
    ).toContain('over HTTP/1.0');
  });

  test('with bytes after its end is noted with their number', () => {
    const length: Evidence = { ...whole, framing: { kind: 'length', length: 40 }, surplusBytes: 3 };
    expect(explainSurplus(length)).toContain('3 bytes more than the 40 bytes');
    expect(explainSurplus({ ...whole, surplusBytes: 1 })).toContain(
      '1 byte more than the 40 bytes up to its last chunk',
    );
    expect(explainSurplus({ ...whole, framing: { kind: 'none' }, surplusBytes: 9 })).toContain('has no body');
  });

  test('with trailers is noted with their number', () => {
    expect(explainTrailers({ ...whole, trailerFields: 2 })).toContain('2 trailer fields');
  });

  test('that is simply whole needs no note', () => {
    expect([explainSurplus(whole), explainTrailers(whole)]).toEqual([null, null]);
  });
});
