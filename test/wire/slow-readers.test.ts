/** Clients that read slowly or not at all: who is given up, who is let be, and that what was given up is freed. */

import { readdirSync, readlinkSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Client } from '../helpers/client.ts';
import { TestProxy } from '../helpers/proxy.ts';
import { Upstream, answering, ok } from '../helpers/upstream.ts';

const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

describe('--client-receive-timeout', () => {
  const BYTES = 12_000_000;

  /** Spool files have no name: only their descriptors show them. */
  const openSpoolFiles = (): number =>
    readdirSync('/proc/self/fd').filter((descriptor) => {
      try {
        return readlinkSync(`/proc/self/fd/${descriptor}`).includes('lastbyte-test-');
      } catch {
        return false;
      }
    }).length;

  test.each([
    ['in memory', '16mb'],
    ['on disk', '64kb'],
  ])(
    'ends a client that reads nothing, and the room of its answer is free again: %s',
    async (_where, memoryPerBody) => {
      await using upstream = await Upstream.start(answering(ok('x'.repeat(BYTES))));
      // Room for one such answer.
      const limits = { memoryPerBody, memoryTotal: '16mb', diskTotal: memoryPerBody === '16mb' ? 0 : '16mb' };
      await using proxy = await TestProxy.start(upstream.url, { clientReceiveTimeout: 200, ...limits });
      using deaf = await Client.connect(proxy.port);
      deaf.socket.pause();
      await deaf.send(GET);
      expect((await proxy.record()).sentence).toContain('--client-receive-timeout');
      if (process.platform === 'linux') await expect.poll(openSpoolFiles).toBe(0);
      using good = await Client.connect(proxy.port);
      await good.send(GET);
      expect((await good.response()).body.length).toBe(BYTES);
    },
  );

  /** Reads so much at a time, and a pause between; counts what came. */
  async function readSlowly(
    client: Client,
    bytesEach: number,
    pauseMs: number,
    bytes: number,
  ): Promise<number> {
    const { socket } = client;
    let got = 0;
    while (got < bytes && !socket.readableEnded && !socket.destroyed) {
      await pause(pauseMs);
      const part: Buffer | null = socket.read(Math.min(bytesEach, socket.readableLength)) ?? socket.read();
      got += part?.length ?? 0;
    }
    return got;
  }

  test.each([
    ['in memory', '16mb'],
    ['on disk', '64kb'],
  ])('lets a client be that reads slowly but steadily: %s', async (_where, memoryPerBody) => {
    // More than a send buffer holds, so that the end of it waits for the client.
    const bytes = 5_000_000;
    await using upstream = await Upstream.start(answering(ok('x'.repeat(bytes))));
    await using proxy = await TestProxy.start(upstream.url, { clientReceiveTimeout: 250, memoryPerBody });
    using client = await Client.connect(proxy.port);
    client.socket.removeAllListeners('data').pause();
    await client.send(GET);
    expect(await readSlowly(client, 64 * 1024, 40, bytes)).toBeGreaterThanOrEqual(bytes);
    expect((await proxy.record()).outcome).toBe('delivered');
  });
});

test('--linger-total does not cut off what the kernel still holds for a slow client', async () => {
  const bytes = 2_000_000;
  await using upstream = await Upstream.start(answering(ok('x'.repeat(bytes))));
  await using proxy = await TestProxy.start(upstream.url, { lingerTimeout: 20, lingerTotal: 50 });
  using client = await Client.connect(proxy.port);
  client.socket.pause();
  await client.send('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  expect((await proxy.record()).outcome).toBe('delivered');
  await proxy.proxy.close();
  client.socket.resume();
  expect((await client.response()).body.length).toBe(bytes);
  expect(await client.end()).toBe('fin');
});
