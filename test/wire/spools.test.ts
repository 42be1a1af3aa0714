/** Bodies that go to files: how much memory they take, what can be seen of the files, and what is left of them. */

import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { statusBytes } from '../../scripts/soak/measured-process.ts';
import { startLastbyte } from '../cli/command.ts';
import type { RunningCommand } from '../cli/command.ts';
import { Bare, signal } from '../helpers/bare.ts';
import { Client } from '../helpers/client.ts';
import { MIB, digestOf, receiveOctets, sendOctets } from '../helpers/octet-stream.ts';

const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
const CHUNKED_POST = 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n';
const MOST_RESIDENT_BYTES = 160 * MIB;

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lastbyte-test-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** lastbyte as a process of its own, its spool files in the folder of this test. */
function start(upstreamPort: number, more: readonly string[] = []): RunningCommand {
  const own = ['--port', '0', '--no-admin', '--spool-dir', folder, '--wait-for-upstream', '0'];
  return startLastbyte([String(upstreamPort), ...own, ...more]);
}

async function portOf(command: RunningCommand): Promise<number> {
  return Number(new URL(await command.url()).port);
}

function pidOf({ child }: RunningCommand): number {
  return child.pid ?? 0;
}

/** Descriptors of spool files. */
function spoolFiles(command: RunningCommand): string[] {
  const descriptors = `/proc/${pidOf(command)}/fd`;
  return readdirSync(descriptors)
    .map((name) => join(descriptors, name))
    .filter((path) => targetOf(path).startsWith(folder));
}

function targetOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return 'closed meanwhile';
  }
}

/** What another process does shows in no event: looked for again and again, for 10 s at most. */
async function eventually(holds: () => boolean): Promise<boolean> {
  for (let look = 0; look < 1000 && !holds(); look += 1) await delay(10);
  return holds();
}

/** An upstream that does this with every connection once its request's head is there. */
async function upstreamOf(act: (socket: Socket) => unknown): Promise<Bare<ReturnType<typeof createServer>>> {
  return await Bare.start(
    createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => undefined);
      act(socket);
    }),
  );
}

/** Answers with a body of `bytes` once the request's head is there. */
function answering(bytes: number, sentBytes = bytes): (socket: Socket) => void {
  return (socket) => {
    socket.once('data', () => {
      socket.write(`HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${bytes}\r\n\r\n`);
      void sendOctets(socket, sentBytes, 'plain');
    });
  };
}

describe('memory', () => {
  test(
    'an answer of 1 GiB needs no more than 160 MiB, and arrives as it was',
    { timeout: 120_000 },
    async () => {
      const bytes = 1024 * MIB;
      await using upstream = await upstreamOf(answering(bytes));
      await using command = start(upstream.port);
      using client = await Client.connect(await portOf(command));
      client.socket.removeAllListeners('data');
      const received = receiveOctets(client.socket, bytes);
      await client.send(GET);
      expect(await received).toMatchObject({ bytes, digest: digestOf(bytes) });
      expect(statusBytes(pidOf(command), 'VmHWM')).toBeLessThan(MOST_RESIDENT_BYTES);
      expect(await eventually(() => spoolFiles(command).length === 0)).toBe(true);
    },
  );

  test('a chunked upload of 500 MB neither, with its length', { timeout: 120_000 }, async () => {
    const bytes = 500_000_000;
    const arrived = signal<Awaited<ReturnType<typeof receiveOctets>>>();
    await using upstream = await upstreamOf((socket) => {
      void receiveOctets(socket, bytes).then((received) => {
        arrived.resolve(received);
        socket.end('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n');
      });
    });
    await using command = start(upstream.port);
    using client = await Client.connect(await portOf(command));
    await client.send(CHUNKED_POST);
    await sendOctets(client.socket, bytes, 'chunked');
    expect((await client.response()).status).toBe(204);
    const { head, ...received } = await arrived.promise;
    expect(head).toContain(`\r\nContent-Length: ${bytes}\r\n`);
    expect(received).toEqual({ bytes, digest: digestOf(bytes) });
    expect(statusBytes(pidOf(command), 'VmHWM')).toBeLessThan(MOST_RESIDENT_BYTES);
    expect(await eventually(() => spoolFiles(command).length === 0)).toBe(true);
  });
});

const SMALL = ['--memory-per-body', '64kb'];

describe('a spool file', () => {
  test('has neither name nor folder while it is in use, and is for its owner alone', async () => {
    await using upstream = await upstreamOf(answering(20 * MIB, 10 * MIB));
    await using command = start(upstream.port, SMALL);
    using client = await Client.connect(await portOf(command));
    await client.send(GET);
    expect(await eventually(() => spoolFiles(command).length > 0)).toBe(true);
    const [file = ''] = spoolFiles(command);
    expect(readlinkSync(file)).toMatch(/\/lastbyte-\w{6}\/body \(deleted\)$/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(file).nlink).toBe(0);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('Node makes a temporary folder for its owner alone, whatever the umask', () => {
    const before = process.umask(0);
    const made = mkdtempSync(join(folder, 'x-'));
    process.umask(before);
    expect(statSync(made).mode & 0o777).toBe(0o700);
  });

  test('is closed when the client leaves in the middle of its answer', async () => {
    await using upstream = await upstreamOf(answering(50 * MIB));
    await using command = start(upstream.port, SMALL);
    const client = await Client.connect(await portOf(command));
    await client.send(GET);
    await client.until('\r\n\r\n');
    expect(spoolFiles(command).length).toBe(1);
    client.socket.destroy();
    expect(await eventually(() => spoolFiles(command).length === 0)).toBe(true);
  });

  test('is closed when the client leaves in the middle of its upload', async () => {
    await using upstream = await upstreamOf(() => undefined);
    await using command = start(upstream.port, SMALL);
    const client = await Client.connect(await portOf(command));
    await client.send(CHUNKED_POST);
    void sendOctets(client.socket, 500 * MIB, 'chunked');
    expect(await eventually(() => spoolFiles(command).length === 1)).toBe(true);
    client.socket.resetAndDestroy();
    expect(await eventually(() => spoolFiles(command).length === 0)).toBe(true);
    expect(upstream.sockets).toEqual([]);
  });

  test('is closed when the upstream leaves in the middle of its answer, each time', async () => {
    await using upstream = await upstreamOf((socket) => {
      socket.once('data', async () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${50 * MIB}\r\n\r\n`);
        await sendOctets(socket, 20 * MIB, 'plain');
        socket.resetAndDestroy();
      });
    });
    await using command = start(upstream.port, [...SMALL, '--retry-backoff', '1ms']);
    using client = await Client.connect(await portOf(command));
    await client.send(GET);
    expect((await client.response()).status).toBe(502);
    expect(upstream.sockets.length).toBe(3);
    expect(await eventually(() => spoolFiles(command).length === 0)).toBe(true);
  });

  test('is closed when the upstream leaves in the middle of an upload', async () => {
    await using upstream = await upstreamOf((socket) => {
      socket.once('data', () => socket.resetAndDestroy());
    });
    await using command = start(upstream.port, [...SMALL, '--withhold-body', 'off']);
    using client = await Client.connect(await portOf(command));
    await client.send(CHUNKED_POST);
    await sendOctets(client.socket, 20 * MIB, 'chunked');
    expect((await client.response()).status).toBe(502);
    expect(await eventually(() => spoolFiles(command).length === 0)).toBe(true);
  });

  test('leaves nothing behind a lastbyte that was killed, and the next one touches nothing of others', async () => {
    await using upstream = await upstreamOf(answering(20 * MIB, 10 * MIB));
    mkdirSync(join(folder, 'lastbyte-aaaaaa'));
    writeFileSync(join(folder, 'lastbyte-aaaaaa', 'body'), 'of somebody else');
    symlinkSync(tmpdir(), join(folder, 'lastbyte-bbbbbb'));
    writeFileSync(join(folder, 'foreign'), '');
    const foreign = readdirSync(folder);
    for (const end of ['SIGKILL', 'SIGTERM'] as const) {
      await using command = start(upstream.port, [...SMALL, '--shutdown-timeout', '10ms']);
      using client = await Client.connect(await portOf(command));
      await client.send(GET);
      expect(await eventually(() => spoolFiles(command).length === 1)).toBe(true);
      command.child.kill(end);
      await command.finished;
      expect(readdirSync(folder)).toEqual(foreign);
    }
    expect(readdirSync(join(folder, 'lastbyte-aaaaaa'))).toEqual(['body']);
  });
});
