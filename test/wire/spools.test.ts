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
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { asked, spoolFilesOf, startIn, type RunningLastbyte } from '../harness/lastbyte.ts';
import { eventually, peakBytes } from '../harness/procfs.ts';
import { signal } from '../harness/bare.ts';
import { ByteReader } from '../harness/byte-reader.ts';
import { Client } from '../harness/client.ts';
import { MIB, answering, digestOf, receiveBytes, sendBytes, upstreamOf } from '../harness/large-body.ts';

const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
const CHUNKED_POST = 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n';
const MOST_RESIDENT_BYTES = 160 * MIB;
/** `npm run test:large`. Otherwise they are still larger than the memory that they may take. */
const LARGE = process.env['LASTBYTE_TEST_LARGE'] === '1';
const ANSWER_BYTES = LARGE ? 1024 * MIB : 200 * MIB;
const UPLOAD_BYTES = LARGE ? 500_000_000 : 200_000_000;

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lastbyte-test-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function start(upstreamPort: number, more: readonly string[] = []): RunningLastbyte {
  return startIn(folder, upstreamPort, more);
}

function spoolFiles(command: RunningLastbyte): string[] {
  return spoolFilesOf(command.pid, folder);
}

describe('memory', () => {
  test(
    `a response of ${ANSWER_BYTES} bytes needs no more than 160 MiB, and arrives as it was`,
    { timeout: 120_000 },
    async () => {
      const bytes = ANSWER_BYTES;
      await using upstream = await upstreamOf(answering(bytes));
      await using command = start(upstream.port);
      using client = await Client.connect(await command.port());
      const received = receiveBytes(client.reader, bytes);
      await client.send(GET);
      expect(await received).toMatchObject({ bytes, digest: digestOf(bytes) });
      expect(peakBytes(command.pid)).toBeLessThan(MOST_RESIDENT_BYTES);
      expect(await eventually(() => spoolFiles(command).length === 0)).toBe(true);
    },
  );

  test(
    `a chunked upload of ${UPLOAD_BYTES} bytes neither, and arrives with its length`,
    { timeout: 120_000 },
    async () => {
      const bytes = UPLOAD_BYTES;
      const arrived = signal<Awaited<ReturnType<typeof receiveBytes>>>();
      await using upstream = await upstreamOf((socket) => {
        void receiveBytes(new ByteReader(socket), bytes).then((received) => {
          // The look at the target when lastbyte starts is a connection without a request.
          if (received.bytes === 0) return;
          arrived.resolve(received);
          socket.end('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n');
        });
      });
      await using command = start(upstream.port);
      using client = await Client.connect(await command.port());
      await client.send(CHUNKED_POST);
      await sendBytes(client.socket, bytes, 'chunked');
      expect((await client.response()).status).toBe(204);
      const { head, ...received } = await arrived.promise;
      expect(head).toContain(`\r\nContent-Length: ${bytes}\r\n`);
      expect(received).toEqual({ bytes, digest: digestOf(bytes) });
      expect(peakBytes(command.pid)).toBeLessThan(MOST_RESIDENT_BYTES);
      expect(await eventually(() => spoolFiles(command).length === 0)).toBe(true);
    },
  );
});

const SMALL = ['--memory-per-body', '64kb'];

describe('a spool file', () => {
  test('has neither name nor folder while it is in use, and is for its owner alone', async () => {
    await using upstream = await upstreamOf(answering(20 * MIB, 10 * MIB));
    await using command = start(upstream.port, SMALL);
    using client = await Client.connect(await command.port());
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

  test('is closed when the client leaves in the middle of its response', async () => {
    await using upstream = await upstreamOf(answering(50 * MIB));
    await using command = start(upstream.port, SMALL);
    const client = await Client.connect(await command.port());
    await client.send(GET);
    await client.until('\r\n\r\n');
    expect(spoolFiles(command).length).toBe(1);
    client.socket.destroy();
    expect(await eventually(() => spoolFiles(command).length === 0)).toBe(true);
  });

  test('is closed when the client leaves in the middle of its upload', async () => {
    await using upstream = await upstreamOf(() => undefined);
    await using command = start(upstream.port, SMALL);
    const client = await Client.connect(await command.port());
    await client.send(CHUNKED_POST);
    void sendBytes(client.socket, 500 * MIB, 'chunked');
    expect(await eventually(() => spoolFiles(command).length === 1)).toBe(true);
    client.socket.resetAndDestroy();
    expect(await eventually(() => spoolFiles(command).length === 0)).toBe(true);
    expect(asked(upstream.sockets)).toEqual([]);
  });

  test('is closed when the upstream leaves in the middle of its response, each time', async () => {
    await using upstream = await upstreamOf((socket) => {
      socket.once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${50 * MIB}\r\n\r\n`);
        void sendBytes(socket, 20 * MIB, 'plain').then(() => socket.resetAndDestroy());
      });
    });
    await using command = start(upstream.port, [...SMALL, '--retry-backoff', '1ms']);
    using client = await Client.connect(await command.port());
    await client.send(GET);
    expect((await client.response()).status).toBe(502);
    expect(asked(upstream.sockets).length).toBe(3);
    expect(await eventually(() => spoolFiles(command).length === 0)).toBe(true);
  });

  test('is closed when the upstream leaves in the middle of an upload', async () => {
    await using upstream = await upstreamOf((socket) => {
      socket.once('data', () => socket.resetAndDestroy());
    });
    await using command = start(upstream.port, [...SMALL, '--withhold-body', 'off']);
    using client = await Client.connect(await command.port());
    await client.send(CHUNKED_POST);
    await sendBytes(client.socket, 20 * MIB, 'chunked');
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
      using client = await Client.connect(await command.port());
      await client.send(GET);
      // Between making the file and taking its name away, a kill would leave an empty folder.
      const isNameless = (): boolean => readdirSync(folder).length === foreign.length;
      expect(await eventually(() => spoolFiles(command).length === 1 && isNameless())).toBe(true);
      command.child.kill(end);
      await command.finished;
      expect(readdirSync(folder)).toEqual(foreign);
    }
    expect(readdirSync(join(folder, 'lastbyte-aaaaaa'))).toEqual(['body']);
  });
});
