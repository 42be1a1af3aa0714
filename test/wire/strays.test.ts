/** A second response that nobody asked for: it must never become the response to the next request on its connection. */

import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { Client } from '../harness/client.ts';
import { TestProxy } from '../harness/proxy.ts';
import { connectionsRested } from '../harness/rest.ts';
import { Upstream, ok } from '../harness/upstream.ts';
import type { Script } from '../harness/upstream.ts';

const REQUESTS = 60;

/** Responds to `/n` with `n`, and again, unasked, so many ms later; 0: a turn later. */
function straying(strayMs: number): Script {
  return async (connection) => {
    for (;;) {
      const request = await connection.request();
      if (request === null) return connection.fin();
      await connection.send(ok(request.target));
      setTimeout(() => {
        if (!connection.socket.destroyed) connection.socket.write(ok(`stray of ${request.target}`));
      }, strayMs);
    }
  };
}

function block(ms: number): void {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
}

describe('a second response', () => {
  test.each([0, 1, 3, 8, 20])('that comes %i ms after the first is nobody’s', async (strayMs) => {
    await using upstream = await Upstream.start(straying(strayMs));
    await using proxy = await TestProxy.start(upstream.url);
    using client = await Client.connect(proxy.port);
    const bodies: string[] = [];
    for (let index = 0; index < REQUESTS; index += 1) {
      await client.send(`GET /${index} HTTP/1.1\r\nHost: x\r\n\r\n`);
      bodies.push((await client.response()).body.toString());
    }
    expect(bodies).toEqual(Array.from({ length: REQUESTS }, (_, index) => `/${index}`));
  });

  test.each([1, 8, 20])(
    '%i ms after the first is nobody’s, whatever the pace of the client',
    async (strayMs) => {
      await using upstream = await Upstream.start(straying(strayMs));
      await using proxy = await TestProxy.start(upstream.url);
      using client = await Client.connect(proxy.port);
      for (const pauseMs of [0, 1, 2, 4, 7, 8, 9, 15, 19, 20, 21, 30, 49, 50, 51]) {
        await sleep(pauseMs);
        await client.send(`GET /${pauseMs} HTTP/1.1\r\nHost: x\r\n\r\n`);
        expect((await client.response()).body.toString()).toBe(`/${pauseMs}`);
      }
    },
  );

  test('is found on the connection in the very turn in which that would be used again', async () => {
    const stray = ok('stray');
    await using upstream = await Upstream.start(async (connection) => {
      for (let request = await connection.request(); request !== null; request = await connection.request())
        await connection.send(ok(request.target));
    });
    await using proxy = await TestProxy.start(upstream.url);
    using client = await Client.connect(proxy.port);
    for (let index = 0; index < 20; index += 1) {
      await client.send(`GET /${index} HTTP/1.1\r\nHost: x\r\n\r\n`);
      expect((await client.response()).body.toString()).toBe(`/${index}`);
      await connectionsRested();
      // Upstream, proxy and client share this event loop: none of them reads while it stands still.
      const last = upstream.connections.at(-1);
      client.socket.write(`GET /${index}/again HTTP/1.1\r\nHost: x\r\n\r\n`);
      if (last?.ended === null) last.socket.write(stray);
      block(5);
      expect((await client.response()).body.toString()).toBe(`/${index}/again`);
    }
  });

  test('once seen, ends the reuse of connections to that upstream until the settings are loaded again', async () => {
    let strays = true;
    await using upstream = await Upstream.start(async (connection) => {
      for (let request = await connection.request(); request !== null; request = await connection.request()) {
        await connection.send(ok(request.target));
        if (strays) connection.socket.write(ok('stray'));
        strays = false;
      }
    });
    await using proxy = await TestProxy.start(upstream.url);
    const told: string[] = [];
    proxy.proxy.on('strayBytes', ({ sentence }) => told.push(sentence));
    using client = await Client.connect(proxy.port);
    const ask = async (): Promise<number> => {
      await client.send('GET /a HTTP/1.1\r\nHost: x\r\n\r\n');
      expect((await client.response()).body.toString()).toBe('/a');
      await connectionsRested();
      return upstream.connections.length;
    };
    expect([await ask(), await ask(), await ask()]).toEqual([1, 2, 3]);
    for (const { ended } of upstream.connections) expect(ended).not.toBeNull();
    expect(told).toEqual([expect.stringContaining('bytes that belong to no request')]);
    proxy.proxy.reload(proxy.proxy.settings);
    expect([await ask(), await ask(), await ask()]).toEqual([4, 4, 4]);
  });
});
