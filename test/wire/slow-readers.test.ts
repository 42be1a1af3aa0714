/** Clients that read slowly or not at all: who is given up, who is let be, and that what was given up is freed. */

import { readdirSync, readlinkSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Client } from '../harness/client.ts';
import { TestProxy } from '../harness/proxy.ts';
import { Upstream, answering, ok } from '../harness/upstream.ts';

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
    'ends a client that reads nothing, and the room of its response is free again: %s',
    async (_where, memoryPerBody) => {
      await using upstream = await Upstream.start(answering(ok('x'.repeat(BYTES))));
      // Room for one such response.
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

  /** Reads so much at a time, and a pause between, so many times; counts what came. */
  async function readSlowly(
    { socket }: Client,
    bytesEach: number,
    pauseMs: number,
    times: number,
  ): Promise<number> {
    let got = 0;
    for (let time = 0; time < times && !socket.destroyed; time += 1) {
      await pause(pauseMs);
      const part: Buffer | null = socket.read(Math.min(bytesEach, socket.readableLength));
      got += part?.length ?? 0;
    }
    return got;
  }

  test.each([
    ['in memory', '16mb'],
    ['on disk', '64kb'],
  ])('lets a client be that reads slowly but steadily: %s', async (_where, memoryPerBody) => {
    await using upstream = await Upstream.start(answering(ok('x'.repeat(BYTES))));
    await using proxy = await TestProxy.start(upstream.url, { clientReceiveTimeout: 1000, memoryPerBody });
    using client = await Client.connect(proxy.port);
    client.socket.removeAllListeners('data').pause();
    await client.send(GET);
    // 800 KB a second: the kernel takes more from Node only after a third of its send buffer, up to 4 MiB, so
    // that Node sees nothing move for more than the limit. And the limit is many reads long: a busy machine makes pauses, too.
    const slowly = await readSlowly(client, 24 * 1024, 30, 130);
    let rest = 0;
    client.socket.on('data', (received: Buffer) => (rest += received.length)).resume();
    expect((await proxy.record()).outcome).toBe('delivered');
    await expect.poll(() => slowly + rest).toBeGreaterThan(BYTES);
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
