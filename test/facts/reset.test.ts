/** How the kernel and libuv report a reset after the last bytes. */

import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { needForEach, whyNotLinux } from '../harness/need.ts';
import { Upstream } from '../harness/upstream.ts';

describe('a reset after the last bytes', () => {
  const TRIES = 60;
  const BODY = Buffer.alloc(20_000, 'x');

  /** How a socket saw its peer end: the error's code, or at `end` the peer's address. */
  type Seen = { readonly error: string | undefined } | { readonly address: string | undefined };

  /** @param lookFirst asks for the address as soon as it is connected */
  async function seen(port: number, lookFirst: boolean): Promise<Seen> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    try {
      return await new Promise<Seen>((resolve) => {
        socket.on('connect', () => lookFirst && socket.remoteAddress);
        socket.on('error', (error: NodeJS.ErrnoException) => resolve({ error: error.code }));
        socket.on('end', () => resolve({ address: socket.remoteAddress }));
        socket.resume().write('go');
      });
    } finally {
      socket.destroy();
    }
  }

  async function tries(how: 'fin' | 'reset', lookFirst = false): Promise<Seen[]> {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.body(2);
      await connection.send(BODY);
      connection[how]();
    });
    const all: Seen[] = [];
    for (let count = 0; count < TRIES; count += 1) all.push(await seen(upstream.port, lookFirst));
    return all;
  }

  const reset = (one: Seen): boolean =>
    'error' in one ? one.error === 'ECONNRESET' : one.address === undefined;

  // The kernel's memory of a peer that has reset was measured on Linux only.
  needForEach(whyNotLinux());

  test("is an error, or an 'end' inside which the socket has no remoteAddress", async () => {
    const all = await tries('reset');
    expect(all.filter((one) => !reset(one))).toEqual([]);
  });

  const [major = 0, minor = 0] = process.versions.uv.split('.').map(Number);

  test('is always an error from libuv 1.52 on', async (context) => {
    if (major === 1 && minor < 52) context.skip('This Node has an older libuv.');
    const all = await tries('reset');
    expect(all.filter((one) => !('error' in one) || one.error !== 'ECONNRESET')).toEqual([]);
  });

  test('an orderly end has a remoteAddress, every time', async () => {
    const all = await tries('fin');
    expect(all.filter((one) => !('address' in one) || one.address !== '127.0.0.1')).toEqual([]);
  });

  test('nobody may have asked for the address before: then it is there in any case', async () => {
    const ends = (await tries('reset', true)).filter((one) => 'address' in one);
    expect(ends.filter((one) => one.address !== '127.0.0.1')).toEqual([]);
  });
});
