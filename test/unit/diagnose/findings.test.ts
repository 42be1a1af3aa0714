import { notHttp } from '../../../src/upstream/evidence.ts';
import { describe, expect, test } from 'vitest';
import { findingsOf } from '../../../src/diagnose/findings.ts';
import type { Finding } from '../../../src/diagnose/findings.ts';
import { CUT, RESET_BEHIND, study, UNANSWERED, WHOLE, type Seen } from './fixtures.ts';

const found = (seen: Readonly<Record<string, readonly Seen[]>>): readonly Finding[] =>
  findingsOf(study(seen));
const codes = (seen: Readonly<Record<string, readonly Seen[]>>): string[] =>
  found(seen).map(({ code }) => code);
const CLEAN = { 'get-closed': [WHOLE, WHOLE], 'get-slow': [WHOLE] };
const times = (count: number, seen: Seen): Seen[] => Array.from({ length: count }, () => seen);

test('nothing is found where nothing is wrong', () => {
  expect(found({ ...CLEAN, 'length-closed': [WHOLE], 'chunked-slow': [WHOLE] })).toEqual([]);
});

describe('resets with a body', () => {
  test('are told in the words of the field, with their figures', () => {
    const [finding] = found({
      ...CLEAN,
      'length-closed': [WHOLE],
      'chunked-slow': [...times(9, CUT), WHOLE],
    });
    expect(finding).toMatchObject({
      code: 'unread-body',
      what: expect.stringMatching(
        /unread chunked request body: 9 of 10 .*, 3\.0 MB of 5\.0 MB lost at worst\.$/,
      ),
      cure: expect.stringContaining('Content-Length'),
      worst: { lostBytes: 3_000_000, ofBytes: 5_000_000 },
      scenarios: ['chunked-slow'],
    });
  });

  test('that lost nothing yet are a fault too', () => {
    const [finding] = found({ ...CLEAN, 'length-closed': times(3, RESET_BEHIND) });
    expect(finding).toMatchObject({ code: 'unread-body', severity: 'fault', affected: 3, worst: null });
    expect(finding?.what).toMatch(/in 3 of 3 tries\. All responses arrived/);
  });

  test.each([
    ['a Content-Length', { 'length-closed': [WHOLE], 'chunked-slow': [CUT] }, 'sending a Content-Length.'],
    [
      'a held body',
      { 'length-closed': [CUT], 'length-withheld': [WHOLE] },
      'withholding the body until the server has responded without it.',
    ],
    [
      'a kept connection',
      { 'length-closed': [CUT], 'length-withheld': [CUT], 'length-kept': [WHOLE] },
      'sending a Content-Length and keeping the connection open.',
    ],
  ] as const)('are cured by %s only where that was seen to be whole', (_what, seen, cure) => {
    expect(found({ ...CLEAN, ...seen })[0]?.cure).toBe(`lastbyte avoids it by ${cure}`);
  });

  test('that nothing was seen to cure are promised no cure', () => {
    const [finding] = found({ ...CLEAN, 'length-closed': [CUT], 'length-withheld': [CUT] });
    expect(finding?.cure).toMatch(/^lastbyte turns a .* into a 502/);
    expect(finding?.options).toEqual(['--withhold-body always']);
  });

  test('name the hold that is long enough for a server that begins its response late', () => {
    const late = { 'length-closed': [CUT], 'length-withheld': [{ firstByteMs: 130 }] };
    expect(found({ ...CLEAN, ...late })[0]?.options).toEqual(['--body-hold 300ms']);
  });

  test('are another fault where a request without a body is reset too', () => {
    expect(codes({ 'get-closed': [CUT, WHOLE], 'length-closed': [CUT] })).toEqual(['reset']);
  });

  test('are theirs alone where only a half-closed client is reset besides', () => {
    expect(codes({ ...CLEAN, 'get-half-closed': [UNANSWERED], 'length-closed': [CUT] })).toEqual([
      'unread-body',
      'half-close',
    ]);
  });
});

const SHORT: Seen = { ending: 'fin', bodyBytes: 1000 };

test.each<readonly [string, Readonly<Record<string, readonly Seen[]>>, readonly string[]]>([
  ['the same part each time', { 'get-closed': [SHORT, SHORT] }, ['wrong-length']],
  [
    'the same part and then silence',
    { 'get-kept': times(2, { ending: 'timeout', bodyBytes: 1000 }) },
    ['wrong-length'],
  ],
  ['another part each time', { 'get-closed': [SHORT, { ...SHORT, bodyBytes: 2000 }] }, ['closed-early']],
  ['a part once', { 'get-closed': [SHORT, WHOLE] }, ['closed-early']],
  ['one try that was cut, which proves no length wrong', { 'get-closed': [SHORT] }, ['closed-early']],
  [
    'silence in the middle, once',
    { 'get-closed': [{ ending: 'timeout', bodyBytes: 1000 }, WHOLE] },
    ['stalled'],
  ],
  [
    'chunks without the last',
    { 'get-closed': [{ ...SHORT, framing: { kind: 'chunked' } }] },
    ['no-last-chunk'],
  ],
  ['surplus', { 'get-closed': [{ surplusBytes: 3 }] }, ['surplus']],
  [
    'surplus after the response to a body',
    { 'get-kept': [WHOLE], 'chunked-kept': [{ surplusBytes: 3 }] },
    ['leftover-body'],
  ],
  [
    'surplus everywhere',
    { 'get-kept': [{ surplusBytes: 3 }], 'chunked-kept': [{ surplusBytes: 3 }] },
    ['surplus'],
  ],
  [
    'a second response that a GET does not get',
    { 'get-kept': [WHOLE], 'length-kept': [{ keepAlive: 'honoured', again: 400 }] },
    ['leftover-body'],
  ],
  [
    'the second response that a GET gets',
    { 'get-kept': [WHOLE], 'length-kept': [{ keepAlive: 'honoured', again: 200 }] },
    [],
  ],
  [
    'FIN without a response',
    { 'get-closed': [{ ending: 'fin', status: null }], 'get-slow': [WHOLE] },
    ['no-answer'],
  ],
  ['silence', { 'get-closed': [{ ending: 'timeout', status: null }], 'get-slow': [WHOLE] }, ['silent']],
  [
    'a half-closed client left alone',
    { ...CLEAN, 'get-half-closed': [{ ending: 'fin', status: null }] },
    ['half-close'],
  ],
  ['an early close', { 'get-kept': [{ keepAlive: 'closed-early' }] }, ['keep-alive-closed']],
  ['a close that was announced', { 'get-kept': [{ keepAlive: 'declined' }] }, []],
  ['no more connections', { ...CLEAN, 'get-late': [{ ending: 'connect-failed', status: null }] }, ['gone']],
  [
    'other bytes',
    {
      'get-closed': [{ ending: notHttp('not-http', 'its first line is empty'), status: null }],
      'get-slow': [WHOLE],
    },
    ['not-http'],
  ],
  ['a stream', { 'get-closed': [{ ending: 'limit', framing: { kind: 'chunked' } }] }, ['endless']],
  ['bodies until close', { 'get-closed': [{ ending: 'fin', framing: { kind: 'close' } }] }, ['until-close']],
  [
    'small responses',
    { 'get-closed': [{ framing: { kind: 'length', length: 10 }, bodyBytes: 10 }] },
    ['small-answer'],
  ],
  ['errors for bodies', { ...CLEAN, 'length-closed': [{ status: 405 }] }, ['error-status']],
])('%s', (_what, seen, expected) => {
  expect(codes(seen)).toEqual(expected);
});

test('a TLS alert is told as what it is', () => {
  const detail = 'it does not begin with HTTP/1.1 but with "\\u0015\\u0003\\u0003\\u0000\\u0002"';
  const [finding] = found({ 'get-closed': [{ ending: notHttp('not-http', detail), status: null }] });
  expect(finding).toMatchObject({
    cause: 'It speaks TLS on this port.',
    upstreamFix: expect.stringContaining('https://'),
  });
});

test('a loss is reckoned from whole responses where no length was announced', () => {
  const cut: Seen = { ...CUT, framing: { kind: 'chunked' } };
  const whole: Seen = { framing: { kind: 'chunked' } };
  const [finding] = found({ ...CLEAN, 'length-withheld': [whole], 'length-closed': [cut] });
  expect(finding?.worst).toEqual({ lostBytes: 3_000_000, ofBytes: 5_000_000 });
});
