/** The clocks that wait for the upstream do not run out while the upstream waits for a body that is withheld. */

import { expect, test } from 'vitest';
import { Client } from '../harness/client.ts';
import { TestProxy } from '../harness/proxy.ts';
import { Upstream, ok } from '../harness/upstream.ts';

const POST = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody';
const HOLDS = { bodyHold: '60s', bodyHoldMax: '60s', firstByteTimeout: 50, bodyIdleTimeout: 50 } as const;

test('a hold that is longer than --first-byte-timeout ends with it, and the body goes out', async () => {
  await using upstream = await Upstream.start(async (connection) => {
    const request = await connection.request(4);
    if (request !== null) await connection.send(ok(`read ${request.body.toString()}`));
  });
  await using proxy = await TestProxy.start(upstream.url, HOLDS);
  using client = await Client.connect(proxy.port);
  await client.send(POST);
  const { status, body } = await client.response();
  expect([status, body.toString()]).toEqual([200, 'read body']);
  expect(upstream.connections.length).toBe(1);
});

test('a hold that is longer than --body-idle-timeout ends with it, after a response that has begun', async () => {
  await using upstream = await Upstream.start(async (connection) => {
    if ((await connection.request()) === null) return;
    await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nread ');
    const body = await connection.body(4);
    if (body !== null) await connection.send(body);
  });
  await using proxy = await TestProxy.start(upstream.url, HOLDS);
  using client = await Client.connect(proxy.port);
  await client.send(POST);
  const { status, body } = await client.response();
  expect([status, body.toString()]).toEqual([200, 'read body']);
});

test('when the body is sent and still nothing comes, the clock has its say', async () => {
  await using upstream = await Upstream.start(async (connection) => {
    await connection.request(4);
  });
  await using proxy = await TestProxy.start(upstream.url, HOLDS);
  using client = await Client.connect(proxy.port);
  await client.send(POST);
  expect((await client.response()).status).toBe(504);
  expect(upstream.connections[0]?.received.toString()).toMatch(/\r\n\r\nbody$/);
  expect((await proxy.record()).attempts[0]?.evidence.requestBody).toBe('whole');
});
