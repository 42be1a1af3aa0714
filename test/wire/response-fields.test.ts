/** Fields of a response that this hop adds, or must not take away. */

import { expect, describe, test } from 'vitest';
import type { ProxyOptions } from '../../src/index.ts';
import { Client, valueOf } from '../harness/client.ts';
import { TestProxy } from '../harness/proxy.ts';
import { Upstream, answering, ok } from '../harness/upstream.ts';

const GET = 'GET /a HTTP/1.1\r\nHost: x\r\n\r\n';
const UPGRADE = 'GET /a HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n';
const DATE = 'Tue, 15 Nov 1994 08:12:31 GMT';

/** The fields of the response to these bytes. */
async function fieldsOf(
  response: string,
  request: string,
  options: ProxyOptions = {},
): Promise<readonly string[]> {
  await using upstream = await Upstream.start(answering(response));
  await using proxy = await TestProxy.start(upstream.url, options);
  using client = await Client.connect(proxy.port);
  await client.send(request);
  const { fields } = await client.response();
  client.halfClose();
  await client.end();
  return fields;
}

const times = (fields: readonly string[], name: string): number =>
  fields.filter((part, index) => index % 2 === 0 && part.toLowerCase() === name).length;

describe.each<[name: string, request: string, options: ProxyOptions]>([
  ['buffered', GET, {}],
  ['streamed', GET, { stream: ['/'] }],
  ['to an upgrade', UPGRADE, {}],
])('a response, %s,', (_name, request, options) => {
  test('that has no Date is given one (RFC 9110 section 6.6.1)', async () => {
    const fields = await fieldsOf(ok('one'), request, options);
    expect(times(fields, 'date')).toBe(1);
    expect(Math.abs(Date.now() - Date.parse(valueOf(fields, 'date') ?? ''))).toBeLessThan(60_000);
  });

  test('keeps the Date that it has', async () => {
    const fields = await fieldsOf(ok('one', `dAte: ${DATE}\r\n`), request, options);
    expect(times(fields, 'date')).toBe(1);
    expect(valueOf(fields, 'date')).toBe(DATE);
  });

  test('of status 426 keeps the protocols that it requires (RFC 9110 section 15.5.22)', async () => {
    const required =
      'HTTP/1.1 426 Upgrade Required\r\nUpgrade: foo/1, bar\r\nConnection: upgrade\r\nContent-Length: 0\r\n\r\n';
    const fields = await fieldsOf(required, request, options);
    expect(valueOf(fields, 'upgrade')).toBe('foo/1, bar');
    expect(fields.join('|')).toContain('Connection|Upgrade');
  });
});

test.each([
  ['a refusal', 'GET /a HTTP/1.1\r\n\r\n'],
  ['of what is no request', 'nonsense\r\n\r\n'],
])('our own response, %s, has a Date', async (_name, request) => {
  expect(times(await fieldsOf(ok(''), request), 'date')).toBe(1);
});
