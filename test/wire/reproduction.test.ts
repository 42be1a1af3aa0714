/**
 * A template for reports: copy this file, write what your server sends and what your client does, and run it with
 * `npx vitest run test/wire/<your file>`.
 */

import { expect, test } from 'vitest';
import { Client } from '../harness/client.ts';
import { TestProxy } from '../harness/proxy.ts';
import { Upstream } from '../harness/upstream.ts';

test('a response that the server cut once is delivered whole', async () => {
  // What the server does on its first connection, and on all later ones.
  await using upstream = await Upstream.start(async (connection, index) => {
    await connection.request();
    await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 11\r\nConnection: close\r\n\r\nhello ');
    if (index === 0) return connection.reset();
    await connection.send('world');
    connection.fin();
  });
  // Options of lastbyte, as in docs/configuration.md.
  await using proxy = await TestProxy.start(upstream.url, { retries: 2 });

  // What the client does.
  using client = await Client.connect(proxy.port);
  await client.send('GET /report HTTP/1.1\r\nHost: example.test\r\nConnection: close\r\n\r\n');
  const response = await client.response();

  // What it should get, and what the server should have seen.
  expect(response.status).toBe(200);
  expect(response.body.toString()).toBe('hello world');
  expect(upstream.requests.map(({ method, target }) => `${method} ${target}`)).toEqual([
    'GET /report',
    'GET /report',
  ]);
});
