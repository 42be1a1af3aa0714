/** How many connections to the upstream are kept while nobody uses them. */

import { expect, test } from 'vitest';
import { Client } from '../harness/client.ts';
import { eventually } from '../harness/procfs.ts';
import { TestProxy } from '../harness/proxy.ts';
import { Upstream, ok } from '../harness/upstream.ts';
import type { UpstreamConnection } from '../harness/upstream.ts';

const CLIENTS = 300;

test('an upstream that takes no new connection beside many idle ones keeps 256 of them from then on', async () => {
  let together: UpstreamConnection[] = [];
  const isOpen = ({ ended }: UpstreamConnection): boolean => ended === null;
  await using upstream = await Upstream.start(async (connection) => {
    for (;;) {
      const request = await connection.request();
      if (request === null) return connection.fin();
      if (request.method === 'POST') {
        const others = upstream.connections.filter((one) => one !== connection);
        await Promise.all(others.map((one) => one.peerEnd()));
        await connection.send(ok('at last', 'Connection: close\r\n'));
        return connection.fin();
      }
      together.push(connection);
      if (together.length < CLIENTS) continue;
      for (const one of together) void one.send(ok('together'));
      together = [];
    }
  });
  await using proxy = await TestProxy.start(upstream.url, { upstreamIdleTimeout: 60_000 });
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => Client.connect(proxy.port)));
  const allAtOnce = async (): Promise<void> => {
    for (const client of clients) await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    for (const client of clients) expect((await client.response()).status).toBe(200);
  };
  await allAtOnce();
  expect(upstream.connections.filter(isOpen).length).toBe(CLIENTS);
  using late = await Client.connect(proxy.port);
  await late.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx');
  expect((await late.response()).body.toString()).toBe('at last');
  await allAtOnce();
  expect(await eventually(() => upstream.connections.filter(isOpen).length === 256)).toBe(true);
  for (const client of clients) client[Symbol.dispose]();
});
