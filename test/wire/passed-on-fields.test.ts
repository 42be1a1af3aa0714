/** Field lines go through http-proxy as they came: to the byte, in their order, repeats and odd names too. */

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Client } from '../harness/client.ts';
import { TestProxy } from '../harness/proxy.ts';
import { Upstream } from '../harness/upstream.ts';

/** Flat [name, value, …]. */
type FieldList = readonly string[];

/** Node treats some of these in its own way: it sorts numbers, joins repeats, and recodes Content-Disposition. */
const name = fc.constantFrom(
  'Content-Disposition',
  'content-disposition',
  'X-oDD',
  'x-odd',
  'ETag',
  'Set-Cookie',
  'Location',
  '7',
  '1',
  '__proto__',
);

/** One byte a character: visible ASCII, and all that is above it. */
const value = fc
  .array(fc.oneof(fc.integer({ min: 0x21, max: 0x7e }), fc.integer({ min: 0x80, max: 0xff })), {
    minLength: 1,
    maxLength: 12,
  })
  .map((bytes) => String.fromCharCode(...bytes));

const someFields = fc.array(fc.tuple(name, value), { minLength: 1, maxLength: 8 });

/** Random fields with these among them, in random order. */
function fieldsWith(...others: (readonly [string, string])[]): fc.Arbitrary<FieldList> {
  return someFields
    .chain((some) => {
      const all = [...some, ...others];
      return fc.shuffledSubarray(all, { minLength: all.length });
    })
    .map((pairs) => pairs.flat());
}

function withoutLength(fields: FieldList): FieldList {
  const at = fields.indexOf('Content-Length');
  return fields.toSpliced(at, 2);
}

function lines(fields: FieldList): string {
  return fields.map((part, index) => (index % 2 === 0 ? `${part}: ` : `${part}\r\n`)).join('');
}

/** Sends each of `fields` through the proxy, one after the other, and gives what the other end saw. */
async function holds(
  fields: fc.Arbitrary<FieldList>,
  respond: (fields: FieldList) => string,
  exchange: (client: Client, fields: FieldList, upstream: Upstream) => Promise<void>,
): Promise<void> {
  let response = '';
  await using upstream = await Upstream.start(async (connection) => {
    while ((await connection.request()) !== null) await connection.send(response);
    connection.fin();
  });
  await using proxy = await TestProxy.start(upstream.url, { stream: ['/exempt/'], lingerTimeout: 20 });
  await fc.assert(
    fc.asyncProperty(fields, async (one) => {
      response = respond(one);
      upstream.requests.length = 0;
      using client = await Client.connect(proxy.port);
      await exchange(client, one, upstream);
    }),
    { numRuns: 40 },
  );
}

const UPGRADE = 'GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: foo\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const SWITCHED = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n';

/** The client has the very fields that the upstream sent, before those of the connection. */
async function receives(client: Client, request: string, fields: FieldList): Promise<void> {
  await client.send(`${request}\r\n`);
  const response = await client.response();
  expect(response.fields.slice(0, fields.length)).toEqual(fields);
}

describe('a response', () => {
  test('that refuses an upgrade', async () => {
    await holds(
      fieldsWith(['Content-Length', '3']),
      (fields) => `HTTP/1.1 418 T\xe9apot\r\n${lines(fields)}\r\nabc`,
      async (client, fields) => {
        await client.send(`${UPGRADE}\r\n`);
        const response = await client.response();
        // It is buffered, so its length goes after what Node would recode after one.
        expect(withoutLength(response.fields.slice(0, fields.length))).toEqual(withoutLength(fields));
        expect([response.reason, response.body.toString()]).toEqual(['T\xe9apot', 'abc']);
      },
    );
  });

  test('that switches protocols', async () => {
    await holds(
      fieldsWith(['Connection', 'Upgrade'], ['UpGrade', 'foo']),
      (fields) => `HTTP/1.1 101 Switching Protocols\r\n${lines(fields)}\r\n\xe9`,
      async (client, fields) => {
        await receives(client, UPGRADE, fields);
        await client.until('\xe9');
      },
    );
  });

  test.each([
    ['on an exempted path', 'GET /exempt/ HTTP/1.1\r\nHost: x\r\n'],
    ['that refuses an upgrade', UPGRADE],
  ])('before the final one %s', async (_name, request) => {
    await holds(
      fieldsWith(),
      (fields) => `HTTP/1.1 103 Early Hints\r\n${lines(fields)}\r\n${OK}`,
      async (client, fields) => await receives(client, request, fields),
    );
  });
});

describe('a request', () => {
  test.each([
    ['on an exempted path', 'GET /exempt/ HTTP/1.1\r\nHost: x\r\n', OK, ''],
    ['with a body on an exempted path', 'POST /exempt/ HTTP/1.1\r\nHost: x\r\n', OK, 'abc'],
    ['for an upgrade', UPGRADE, SWITCHED, ''],
  ])('%s', async (_name, request, response, body) => {
    const length = body === '' ? [] : [['Content-Length', String(body.length)] as const];
    await holds(
      fieldsWith(...length),
      () => response,
      async (client, fields, upstream) => {
        await client.send(`${request}${lines(fields)}\r\n${body}`);
        await client.response();
        expect(upstream.requests[0]?.fields.slice(2, 2 + fields.length)).toEqual(fields);
      },
    );
  });
});
