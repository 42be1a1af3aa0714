/** What happens when the disk or the descriptors run out: said clearly, survived, and over when there is room again. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Client, valueOf } from '../harness/client.ts';
import { MIB, answering, sendBytes, upstreamOf } from '../harness/large-body.ts';
import { asked, spoolFilesOf, startIn } from '../harness/lastbyte.ts';
import { cpuSeconds, descriptorsOf, eventually } from '../harness/procfs.ts';
import { need, whyNo } from '../harness/need.ts';

const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
const CHUNKED_POST = 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lastbyte-test-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** A disk of a few megabytes in place of the folder. */
class SmallDisk implements Disposable {
  constructor(mib: number) {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mib}m`, 'tmpfs', folder]);
  }

  [Symbol.dispose](): void {
    execFileSync('umount', ['--lazy', folder]);
  }
}

function whyNoMount(): string | null {
  const mayMount = process.getuid?.() === 0;
  return whyNo('mount') ?? (mayMount ? null : 'Only root can mount the small disk that is filled up here.');
}

describe('when the disk is full', () => {
  const small = ['--memory-per-body', '64kb'];

  test('a large response is refused with --spool-dir in the reason, and a smaller one goes on', async (context) => {
    need(context, whyNoMount());
    using disk = new SmallDisk(4);
    expect(disk).toBeDefined();
    let bytes = 20 * MIB;
    await using upstream = await upstreamOf((socket) => answering(bytes)(socket));
    await using command = startIn(folder, upstream.port, small);
    using client = await Client.connect(await command.port());
    await client.send(GET);
    const refused = await client.response();
    expect([refused.status, valueOf(refused.fields, 'content-type')]).toEqual([
      503,
      'application/problem+json',
    ]);
    expect(refused.body.toString()).toMatch(/"detail":"[^"]*ENOSPC[^"]*--spool-dir/);
    expect(await eventually(() => spoolFilesOf(command.pid, folder).length === 0)).toBe(true);
    bytes = 3 * MIB;
    await client.send(GET);
    const response = await client.response();
    expect([response.status, response.body.length]).toEqual([200, bytes]);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('a large upload is refused with --spool-dir in the reason, and the upstream not asked', async (context) => {
    need(context, whyNoMount());
    using disk = new SmallDisk(4);
    expect(disk).toBeDefined();
    await using upstream = await upstreamOf(answering(5));
    await using command = startIn(folder, upstream.port, small);
    using client = await Client.connect(await command.port());
    await client.send(CHUNKED_POST);
    await sendBytes(client.socket, 20 * MIB, 'chunked');
    const refused = await client.response();
    expect(refused.status).toBe(503);
    expect(refused.body.toString()).toMatch(/"detail":"[^"]*--spool-dir \(ENOSPC\)/);
    expect(asked(upstream.sockets)).toEqual([]);
    expect(await eventually(() => spoolFilesOf(command.pid, folder).length === 0)).toBe(true);
    using other = await Client.connect(await command.port());
    await other.send(GET);
    expect((await other.response()).status).toBe(200);
  });
});

describe('when descriptors run out', () => {
  const DESCRIPTORS = 120;
  const few = ['prlimit', `--nofile=${DESCRIPTORS}`, process.execPath];
  const more = ['--memory-per-body', '64kb', '--max-idle-connections', '0'];

  test('who has a connection is told to raise the limit, nothing spins, and all is well again afterwards', async () => {
    await using upstream = await upstreamOf(answering(5));
    await using command = startIn(folder, upstream.port, more, few);
    const port = await command.port();
    using good = await Client.connect(port);
    await good.send(GET);
    expect((await good.response()).status).toBe(200);

    const crowd = await Promise.all(Array.from({ length: 150 }, () => Client.connect(port)));
    // The kernel has let them in; the process has yet to take as many as it can.
    const descriptors = (): number => descriptorsOf(command.pid).length;
    expect(await eventually(() => descriptors() >= DESCRIPTORS)).toBe(true);
    await good.send(GET);
    const refused = await good.response();
    expect(refused.status).toBeGreaterThanOrEqual(500);
    expect(refused.body.toString()).toMatch(/"detail":"[^"]*EMFILE[^"]*ulimit -n/);
    const before = cpuSeconds(command.pid);
    await delay(1000);
    expect(cpuSeconds(command.pid) - before, 'of a second').toBeLessThan(0.5);

    for (const client of crowd) client.socket.destroy();
    const served = async (): Promise<number> => {
      await good.send(GET);
      return (await good.response()).status;
    };
    let status = await served();
    for (let look = 0; look < 500 && status !== 200; look += 1) status = await delay(10).then(served);
    expect(status).toBe(200);
    using fresh = await Client.connect(port);
    await fresh.send(GET);
    expect((await fresh.response()).status).toBe(200);
  });
});
