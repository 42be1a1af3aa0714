/** Field bytes pass as they came, in both directions, on every path and in any order. */

import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Client, valueOf } from '../harness/client.ts';
import { TestProxy } from '../harness/proxy.ts';
import { Upstream } from '../harness/upstream.ts';

const RUNS = Number(process.env['LASTBYTE_RUNS'] ?? 40);
const LIMITS = { numRuns: RUNS, timeout: 5000, interruptAfterTimeLimit: 25_000 + RUNS * 100 } as const;
const TIMEOUT_MS = LIMITS.interruptAfterTimeLimit + 5000;

/** Node recodes some of these names and not others. */
const NAMES = ['Content-Disposition', 'content-disposition', 'X-Name', 'ETag', 'Link', 'Content-Language'];

const text = fc
  .array(fc.oneof(fc.integer({ min: 0x80, max: 0xff }), fc.integer({ min: 0x21, max: 0x7e })), {
    minLength: 1,
    maxLength: 12,
  })
  .map((codes) => String.fromCharCode(...codes));
const field = fc.tuple(fc.constantFrom(...NAMES), text);
const fieldsWithLength = fc
  .tuple(fc.array(field, { minLength: 1, maxLength: 6 }), fc.nat(6))
  .map(([fields, at]) => fields.toSpliced(at, 0, ['Content-Length', '2']));

type FieldList = readonly (readonly [string, string])[];

function lines(fields: FieldList): string {
  return fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
}

/** Those of the generated names, in order, flat. */
function passed(fields: readonly string[]): string[] {
  return fields.filter((_part, index) => NAMES.includes(fields[index - (index % 2)] ?? ''));
}

function without(fields: FieldList, name: string): FieldList {
  return fields.filter(([one]) => one !== name);
}

/** What the upstream sends next. */
let response = '';
let upstream: Upstream;
let proxy: TestProxy;
beforeAll(async () => {
  upstream = await Upstream.start(async (connection) => {
    for (;;) {
      const request = await connection.request();
      if (request === null) break;
      if ((await connection.body(Number(valueOf(request.fields, 'content-length') ?? 0))) === null) break;
      await connection.send(response);
      if (!response.includes('Content-Length')) break;
    }
    connection.fin();
  });
  proxy = await TestProxy.start(upstream.url, { stream: ['/stream'], bodyHold: 1, lingerTimeout: 20 });
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const OK = 'HTTP/1.1 200 OK\r\n';
const EVENTS = 'Content-Type: text/event-stream\r\n';

describe('a response', () => {
  test.each<[string, string, (fields: FieldList) => string, number]>([
    ['with a length', 'GET /', (fields) => `${OK}${lines(fields)}\r\nok`, 200],
    [
      'in chunks',
      'GET /',
      (fields) =>
        `${OK}${lines(without(fields, 'Content-Length'))}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
      200,
    ],
    ['until close', 'GET /', (fields) => `${OK}${lines(without(fields, 'Content-Length'))}\r\nok`, 200],
    ['to HEAD', 'HEAD /', (fields) => `${OK}${lines(fields)}\r\n`, 200],
    ['that is 304', 'GET /', (fields) => `HTTP/1.1 304 Not Modified\r\n${lines(fields)}\r\n`, 304],
    [
      'that is empty',
      'GET /',
      (fields) => `HTTP/1.1 204 No Content\r\n${lines(without(fields, 'Content-Length'))}\r\n`,
      204,
    ],
    ['that streams', 'GET /', (fields) => `${OK}${EVENTS}${lines(fields)}\r\nok`, 200],
    ['on an exempted path', 'GET /stream', (fields) => `${OK}${lines(fields)}\r\nok`, 200],
    ['to HEAD on an exempted path', 'HEAD /stream', (fields) => `${OK}${lines(fields)}\r\n`, 200],
    [
      'that is early',
      'GET /',
      (fields) =>
        `HTTP/1.1 103 Early Hints\r\n${lines(without(fields, 'Content-Length'))}\r\n${OK}Content-Length: 2\r\n\r\nok`,
      103,
    ],
  ])(
    '%s',
    async (_, line, bytes, status) => {
      await fc.assert(
        fc.asyncProperty(fieldsWithLength, async (fields) => {
          response = bytes(fields);
          using client = await Client.connect(proxy.port);
          await client.send(`${line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
          const seen = await client.response(line.split(' ')[0]);
          expect([seen.status, passed(seen.fields)]).toEqual([
            status,
            without(fields, 'Content-Length').flat(),
          ]);
        }),
        LIMITS,
      );
    },
    TIMEOUT_MS,
  );

  test.each(['caf\xe9.txt', '\xc3\xa9t\xc3\xa9.txt', '\xe6\xbc\x8f\xe6\xb4\x9e.txt'])(
    'names the download %j after its length, and is whole',
    async (name) => {
      const disposition = `attachment; filename="${name}"`;
      response = `${OK}Content-Length: 2\r\nContent-Disposition: ${disposition}\r\n\r\nok`;
      using client = await Client.connect(proxy.port);
      await client.send('GET /file HTTP/1.1\r\nHost: x\r\n\r\n');
      const { status, fields, body } = await client.response();
      expect([status, valueOf(fields, 'content-disposition'), body.toString()]).toEqual([
        200,
        disposition,
        'ok',
      ]);
    },
  );

  test('keeps a reason of such bytes, also when it streams', async () => {
    response = `HTTP/1.1 200 d\xe9j\xe0\r\n${EVENTS}Content-Length: 2\r\n\r\nok`;
    using client = await Client.connect(proxy.port);
    await client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    expect((await client.response()).reason).toBe('d\xe9j\xe0');
  });
});

describe('a request', () => {
  test.each([
    ['without a body', 'GET /', ''],
    ['with a body', 'POST /', 'ok'],
    ['on an exempted path', 'GET /stream', ''],
    ['with a body on an exempted path', 'POST /stream', 'ok'],
  ])(
    '%s',
    async (_, line, body) => {
      response = `${OK}Content-Length: 0\r\n\r\n`;
      await fc.assert(
        fc.asyncProperty(fieldsWithLength, async (fields) => {
          const sent = body === '' ? without(fields, 'Content-Length') : fields;
          using client = await Client.connect(proxy.port);
          const count = upstream.requests.length;
          await client.send(`${line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${lines(sent)}\r\n${body}`);
          expect((await client.response()).status).toBe(200);
          expect(passed(upstream.requests[count]?.fields ?? [])).toEqual(
            without(sent, 'Content-Length').flat(),
          );
        }),
        LIMITS,
      );
    },
    TIMEOUT_MS,
  );
});
