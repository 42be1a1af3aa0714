/** A body that ends with its connection, by a FIN: nobody can prove that it is whole, and both ends can know that. */

import { describe, expect, test } from 'vitest';
import { Client, valueOf } from '../harness/client.ts';
import { TestProxy } from '../harness/proxy.ts';
import { Upstream } from '../harness/upstream.ts';
import type { Script } from '../harness/upstream.ts';

const PART = 'half of a stre';

/** As runserver does when a generator raises midway. */
const closing: Script = async (connection) => {
  if ((await connection.request()) === null) return;
  await connection.send(`HTTP/1.1 200 OK\r\nProxy-Status: cdn; hit\r\n\r\n${PART}`);
  connection.fin();
};

const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

describe('a body that ends with a FIN', () => {
  test('is delivered, and the client is told that nothing proves it', async () => {
    await using upstream = await Upstream.start(closing);
    await using proxy = await TestProxy.start(upstream.url);
    using client = await Client.connect(proxy.port);
    await client.send(GET);
    const { status, fields, body } = await client.response();
    expect([status, body.toString()]).toEqual([200, PART]);
    const told = fields.filter((_part, index) => fields[index - 1] === 'Proxy-Status');
    expect(told).toEqual([
      'cdn; hit',
      expect.stringMatching(/^lastbyte; details="[^"]*nothing proves[^"]*"$/),
    ]);
    const { verdict, sentence } = await proxy.record();
    expect([verdict, sentence]).toEqual(['unverifiable', expect.stringContaining('--unverifiable refuse')]);
  });

  test.each(['GET', 'POST'])(
    'is refused where the user wants that: 502 to a %s, asked for once',
    async (method) => {
      await using upstream = await Upstream.start(closing);
      await using proxy = await TestProxy.start(upstream.url, { unverifiable: 'refuse' });
      using client = await Client.connect(proxy.port);
      await client.send(GET.replace('GET', method));
      const { status, fields, body } = await client.response();
      expect(status).toBe(502);
      expect(valueOf(fields, 'proxy-status')).toContain('error=http_response_incomplete');
      expect(JSON.parse(body.toString())).toMatchObject({
        type: 'urn:lastbyte:error:response_unverifiable',
        received: PART.length,
        expected: null,
        end: 'FIN',
      });
      expect(upstream.requests).toHaveLength(1);
      expect(await proxy.record()).toMatchObject({ outcome: 'refused', verdict: 'unverifiable' });
    },
  );

  test('is refused, too, where it answers an upgrade', async () => {
    await using upstream = await Upstream.start(closing);
    await using proxy = await TestProxy.start(upstream.url, { unverifiable: 'refuse' });
    using client = await Client.connect(proxy.port);
    await client.send(GET.replace('\r\n\r\n', '\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'));
    expect((await client.response()).status).toBe(502);
  });
});

test('a proven body is delivered without a word, whatever the user wants of others', async () => {
  await using upstream = await Upstream.start(async (connection) => {
    if ((await connection.request()) === null) return;
    await connection.send('HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nwhole');
    connection.fin();
  });
  await using proxy = await TestProxy.start(upstream.url, { unverifiable: 'refuse' });
  using client = await Client.connect(proxy.port);
  await client.send(GET);
  const { status, fields, body } = await client.response();
  expect([status, valueOf(fields, 'proxy-status'), body.toString()]).toEqual([200, undefined, 'whole']);
});
