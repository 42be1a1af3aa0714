/** What `onread` of a socket does. */

import { once } from 'node:events';
import { connect, createServer as createNetServer } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { describe, expect, test } from 'vitest';
import type { TestContext } from 'vitest';
import { Bare, signal, turns } from '../harness/bare.ts';
import { selfSigned } from '../harness/self-signed.ts';
import { need, whyNo } from '../harness/need.ts';

describe('onread', () => {
  const certificate = selfSigned();

  type Connect = (port: number, onread: OnRead) => Socket;
  interface OnRead {
    buffer(): Uint8Array;
    callback(count: number, buffer: Uint8Array): boolean;
  }

  const overTcp: Connect = (port, onread) => connect({ port, host: '127.0.0.1', onread });
  const overTls: Connect = (port, onread) => {
    const options = { port, host: '127.0.0.1', onread, rejectUnauthorized: false };
    return connectTls(options);
  };

  async function serving(tls: boolean, serve: (socket: Socket) => void, context: TestContext) {
    if (!tls) return await Bare.start(createNetServer(serve));
    need(context, whyNo('openssl'));
    return await Bare.start(createTlsServer({ ...certificate }, serve));
  }

  const both = test.for([
    ['net.connect', false, overTcp],
    ['tls.connect', true, overTls],
  ] as const);

  both('of %s reads into the buffer named last', async ([_name, tls, open], context) => {
    let serverSide: Socket | null = null;
    await using server = await serving(tls, (socket) => (serverSide = socket).write('first'), context);
    const named: Uint8Array[] = [];
    const reads: string[] = [];
    const socket = open(server.port, {
      buffer: () => {
        const buffer = Buffer.alloc(8, '.');
        named.push(buffer);
        return buffer;
      },
      callback: (count, buffer) => {
        reads.push(`${named.indexOf(buffer)} of ${named.length}: ${count}`);
        if (reads.length === 1) serverSide?.end('second');
        return true;
      },
    });
    await once(socket, 'end');
    expect(reads).toEqual(['0 of 1: 5', '1 of 2: 6']);
    expect(named.map((buffer) => Buffer.from(buffer).toString())).toEqual([
      'first...',
      'second..',
      '........',
    ]);
  });

  both('of %s pauses at false, until resume()', async ([_name, tls, open], context) => {
    const body = Buffer.alloc(8_000_000, 'x');
    await using server = await serving(tls, (socket) => socket.end(body), context);
    const buffer = Buffer.alloc(64 * 1024);
    const paused = signal<void>();
    let bytes = 0;
    let go = false;
    const socket = open(server.port, {
      buffer: () => buffer,
      callback: (count) => {
        bytes += count;
        paused.resolve();
        return go;
      },
    });
    await paused.promise;
    await turns();
    const bytesWhilePaused = bytes;
    go = true;
    socket.resume();
    await once(socket, 'end');
    // One read of the kernel's, which over TLS may hold several records.
    expect(bytesWhilePaused).toBeLessThanOrEqual(64 * 1024);
    expect(bytes).toBe(body.length);
  });

  test.for([
    ['net.connect stops at once', false, overTcp, ['0123']],
    ['tls.connect goes on with what is deciphered already', true, overTls, ['0123', '4567', '89']],
  ] as const)('of %s at false', async ([_name, tls, open, expected], context) => {
    await using server = await serving(tls, (socket) => socket.write('0123456789'), context);
    const buffer = Buffer.alloc(4);
    const reads: string[] = [];
    const paused = signal<void>();
    const socket = open(server.port, {
      buffer: () => buffer,
      callback: (count) => {
        reads.push(buffer.toString('latin1', 0, count));
        paused.resolve();
        return false;
      },
    });
    await paused.promise;
    await turns();
    expect(reads).toEqual(expected);
    socket.destroy();
  });
});
