/** What a socket's timeout sees of a large write. */

import { once } from 'node:events';
import { connect, createServer as createNetServer } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { Bare, signal } from '../harness/bare.ts';

describe("a socket's timeout", () => {
  const TIMEOUT_MS = 400;
  const READ_BYTES = 2_000_000;

  /** Reads on until so many bytes have come. */
  async function readSome(client: Socket, bytes: number): Promise<void> {
    const enough = client.bytesRead + bytes;
    client.resume();
    while (client.bytesRead < enough) await once(client, 'data');
    client.pause();
  }

  test('is put off while one large write makes progress, and comes when the reader stops', async () => {
    const timedOut = signal<'timed out'>();
    await using server = await Bare.start(
      createNetServer((socket) => {
        socket.setTimeout(TIMEOUT_MS, () => timedOut.resolve('timed out'));
        socket.write(Buffer.alloc(100_000_000));
      }),
    );
    const client = connect({ port: server.port, host: '127.0.0.1' });
    client.on('data', () => undefined).on('error', () => undefined);
    const slowly = async (): Promise<string> => {
      // The pace of the reader: well below the timeout, for three times the timeout.
      for (let count = 0; count < 24; count += 1) {
        await readSome(client, READ_BYTES);
        await pause(TIMEOUT_MS / 8);
      }
      return 'read for long';
    };
    expect(await Promise.race([slowly(), timedOut.promise])).toBe('read for long');
    expect(await timedOut.promise).toBe('timed out');
    client.destroy();
  });
});
