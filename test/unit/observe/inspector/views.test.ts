/** The view of one exchange, for whatever bodies and fields there were. */

import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import type { Har } from 'har-format';
import { expect, test } from 'vitest';
import type { ExchangeRecord } from '../../../../src/exchange/events.ts';
import { resolveOptions } from '../../../../src/config/resolve.ts';
import { curlCommand } from '../../../../src/observe/inspector/repeat.ts';
import { fullView } from '../../../../src/observe/inspector/views.ts';
import { harParts } from '../../../../src/observe/inspector/har.ts';
import type { Entry } from '../../../../src/observe/inspector/ring.ts';
import { PreviewRoom, PreviewWriter } from '../../../../src/spool/body-preview.ts';
import { harFaults } from '../../../harness/har-schema.ts';
import { DELIVERED } from '../records.ts';
import { need, whyNo } from '../../../harness/need.ts';

const settings = resolveOptions({ target: 'http://127.0.0.1:8000' });
const url = 'http://127.0.0.1:8080';

function entryOf(record: ExchangeRecord): Entry {
  const begun = { ...record, clientPort: 1 };
  return {
    number: 1,
    begun,
    replayOf: null,
    revision: 1,
    record,
    closed: null,
    heldBytes: 0,
    recordBytes: 0,
    row: null,
  };
}

/** The whole text of it, read again. */
function har(entries: readonly Entry[], maxBytes?: number): Har {
  const find = (id: string): Entry | null => entries.find(({ begun }) => begun.id === id) ?? null;
  const ids = entries.map(({ begun }) => begun.id);
  return JSON.parse([...harParts(ids, find, { settings, url, version: '1' }, maxBytes)].join(''));
}

function recordOf(
  requestFields: readonly string[],
  body: Buffer,
  more: Partial<ExchangeRecord> = {},
): ExchangeRecord {
  const requestBody = new PreviewWriter(new PreviewRoom(Infinity));
  requestBody.copy(body);
  const notes = {
    requestWholeMs: 0,
    waits: [{ startMs: 1, endMs: 2 }],
    deliveryMs: 3,
    writtenMs: 4,
    keptAlive: true,
    requestBody,
    responseReason: 'OK',
    responseFields: requestFields,
    answerBody: requestBody,
  };
  return { ...DELIVERED, requestFields, requestBodyBytes: body.length, outcome: 'refused', ...more, notes };
}

const name = fc.constantFrom('Host', 'Content-Type', 'Content-Encoding', 'Cookie', 'X-A', 'Content-Length');
const value = fc.oneof(
  fc.string(),
  fc.constantFrom('gzip', 'br', 'text/html', 'multipart/form-data; boundary=b', 'a b:c/d'),
);

test('is made, and is valid in a HAR, for any bytes and any fields', () => {
  const fields = fc.array(fc.tuple(name, value), { maxLength: 6 }).map((pairs) => pairs.flat());
  const target = fc.oneof(
    fc.webPath(),
    fc.string().map((text) => `/${text}`),
    fc.constantFrom('*', 'http://x/y?z', '//', '/?='),
  );
  fc.assert(
    fc.property(fields, fc.uint8Array({ maxLength: 300 }), target, (requestFields, encoded, path) => {
      const entry = entryOf(recordOf(requestFields, Buffer.from(encoded), { url: path, method: 'POST' }));
      const full = fullView(entry, settings, url);
      expect(full.request.body?.bytes ?? 0).toBe(encoded.length);
      expect(harFaults(har([entry]))).toEqual([]);
    }),
    { numRuns: 60 },
  );
});

test('the timings of a HAR add up', () => {
  const [entry] = har([entryOf(recordOf([], Buffer.alloc(0)))]).log.entries;
  const spans = Object.values(entry?.timings ?? {}).filter(
    (span): span is number => typeof span === 'number',
  );
  const sum = spans.reduce((total, span) => total + Math.max(0, span), 0);
  expect(sum).toBeCloseTo(DELIVERED.durationMs);
});

test('a HAR is made entry by entry, as it is asked for, and only of what is still kept', () => {
  const kept = new Map(['1', '2', '3'].map((id) => [id, entryOf({ ...DELIVERED, id })]));
  const asked: string[] = [];
  const find = (id: string): Entry | null => {
    asked.push(id);
    return kept.get(id) ?? null;
  };
  const parts = harParts(['3', '2', '1'], find, { settings, url, version: '1' });
  const text = [parts.next().value, parts.next().value];
  expect(asked).toEqual(['3']);
  kept.delete('2');
  const { log } = JSON.parse([...text, ...parts].join(''));
  expect(log.entries.map((entry: object) => Reflect.get(entry, '_lastbyte').id)).toEqual(['3', '1']);
  expect(log.comment).toContain('2 of 3');
});

test('a HAR that would be too large has the newest, and says what it left out', () => {
  const entries = ['3', '2', '1'].map((id) =>
    entryOf({ ...recordOf(['Content-Type', 'text/plain'], Buffer.alloc(1000, 'x')), id }),
  );
  const whole = har(entries);
  expect([whole.log.entries.length, whole.log.comment]).toEqual([3, undefined]);
  const part = har(entries, 8000);
  expect(harFaults(part)).toEqual([]);
  const { length } = part.log.entries;
  expect([length > 0, length < 3, part.log.entries]).toEqual([
    true,
    true,
    whole.log.entries.slice(0, length),
  ]);
  expect(part.log.comment).toContain(
    `The newest ${length} of 3 exchanges. A HAR of these holds at most 8000 bytes`,
  );
});

test('a HAR has the body of each response once', () => {
  const body = new PreviewWriter(new PreviewRoom(Infinity));
  body.copy(Buffer.from('only once'));
  const times = {
    connectedMs: 1,
    headSentMs: 1,
    bodyStartMs: null,
    bodySentMs: null,
    firstByteMs: 1,
    headMs: 1,
    lastByteMs: 1,
    body,
  };
  const attempts = DELIVERED.attempts.map((attempt) => ({ ...attempt, notes: times }));
  const record = recordOf([], Buffer.from('asked once'), { method: 'POST', outcome: 'delivered', attempts });
  const text = JSON.stringify(har([entryOf(record)]));
  expect([text.split('only once').length, text.split('asked once').length]).toEqual([2, 2]);
});

test('a body that unfolds to more than is shown is shown by its beginning', () => {
  const fields = ['Content-Encoding', 'gzip', 'Content-Type', 'text/plain'];
  const bomb = gzipSync(Buffer.alloc(600_000, 'x'));
  const { request, curl } = fullView(entryOf(recordOf(fields, bomb)), settings, url);
  expect(request.body).toMatchObject({ bytes: bomb.length, encoding: 'text' });
  expect(request.body?.content).toMatch(/^x{1000,524288}$/);
  expect(curl).toBeNull();
});

const JSON_OF_64_KIB = JSON.stringify([{ password: 'gEhEim' }, randomBytes(48 * 1024).toString('base64')]);

test.each([
  ['gzip', gzipSync(JSON_OF_64_KIB)],
  ['deflate', deflateSync(JSON_OF_64_KIB)],
  ['deflate', deflateRawSync(JSON_OF_64_KIB)],
  ['br', brotliCompressSync(JSON_OF_64_KIB)],
  ['gzip, br', brotliCompressSync(gzipSync(JSON_OF_64_KIB))],
])('secrets in the part that is kept of a coded body are found: %s', (coding, encoded) => {
  const fields = ['Content-Encoding', coding, 'Content-Type', 'application/json'];
  for (const kept of [encoded, encoded.subarray(0, encoded.length / 2)]) {
    const { request } = fullView(entryOf(recordOf(fields, kept)), settings, url);
    expect(request.body?.content).toMatch(/^\[\{"password":"\[redacted\]"/);
  }
});

test('what cannot be decoded is not shown, unless it is text', () => {
  const zstd = Buffer.from('28b52ffd0458190100676548456962', 'hex');
  const view = (encoded: Buffer): unknown =>
    fullView(entryOf(recordOf(['Content-Encoding', 'zstd'], encoded)), settings, url).request.body?.content;
  expect(view(Buffer.concat([zstd, Buffer.from([0, 255])]))).toBe('');
  expect(view(Buffer.from('{"a":1,"token":"x"}'))).toBe('{"a":1,"token":"[redacted]"}');
});

test('the command for a shell is what a shell hands to curl, word by word', (context) => {
  need(context, whyNo('bash'));
  const words = fc.string({
    unit: fc.constantFrom(...'ab\'"$`\\ &;|*?!~#(){}[]<>\n'.split('')),
    maxLength: 30,
  });
  // One shell for many commands: to start one takes a moment.
  const cases = fc.array(fc.tuple(words, words), { minLength: 40, maxLength: 40 });
  fc.assert(
    fc.property(cases, (pairs) => {
      const commands = pairs.map(([text, more]) => {
        const record = recordOf(['X-A', text], Buffer.from(more), { url: `/${text}`, method: 'PUT' });
        return String(curlCommand(entryOf(record), url)).replace(/^curl /, '');
      });
      const script = commands.map((command) => `printf '%s\\0' ${command}; printf 'END\\0'`).join('\n');
      const outputs = spawnSync('bash', ['-c', script], { encoding: 'utf8' }).stdout.split('END\0');
      for (const [index, [text, more]] of pairs.entries()) {
        const got = outputs[index]?.split('\0') ?? [];
        expect(got).toContain(text === '' ? 'X-A;' : `X-A: ${text}`);
        if (more !== '') expect(got[got.indexOf('--data-raw') + 1]).toBe(more);
      }
    }),
    { numRuns: 5, endOnFailure: true },
  );
});

test.each([
  ['GET', [], 'curl --globoff --path-as-is http://127.0.0.1:8080/report'],
  ['HEAD', [], 'curl --head --globoff --path-as-is http://127.0.0.1:8080/report'],
  [
    'DELETE',
    ['Connection', 'close', 'Empty', ''],
    "curl -X DELETE --globoff --path-as-is http://127.0.0.1:8080/report -H 'Empty;'",
  ],
] as const)('%s is written as curl has it', (method, fields, command) => {
  expect(curlCommand(entryOf({ ...DELIVERED, method, requestFields: fields }), url)).toBe(command);
});

test('over a unix socket curl is told its path', () => {
  const command = curlCommand(entryOf({ ...DELIVERED, requestFields: [] }), 'unix:/run/a b.sock');
  expect(command).toBe("curl --unix-socket '/run/a b.sock' --globoff --path-as-is http://localhost/report");
});
