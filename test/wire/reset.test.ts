/** A connection that is broken off is gone, also just after its own FIN. */

import { execFileSync } from 'node:child_process';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { reset } from '../../src/client/linger.ts';
import { Bare, turns } from '../harness/bare.ts';
import { Client } from '../harness/client.ts';

/** In a process of its own, which kills itself: it could never end otherwise, and would use all of a processor. */
const RESET_BEHIND_END = `
  const net = require('node:net');
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    let said = '';
    socket.on('error', (error) => (said += error.code)).on('close', () => (said += ' closed'));
    socket.end();
    socket.resetAndDestroy();
    setTimeout(() => { require('node:fs').writeSync(1, said); process.kill(process.pid, 'SIGKILL'); }, 200);
  });
  server.listen(0, '127.0.0.1', () => net.connect({ port: server.address().port, allowHalfOpen: true }));
`;

test("Node never closes a socket that is reset while its own FIN is under way (libuv's uv_tcp_close_reset)", () => {
  const said = execFileSync('sh', [
    '-c',
    'exec 3>&1; "$0" -e "$1" || true',
    process.execPath,
    RESET_BEHIND_END,
  ]);
  expect(said.toString()).toBe('EINVAL');
});

describe('reset', () => {
  const cases: readonly (readonly [string, (socket: Socket) => void])[] = [
    ['before any end', (socket) => reset(socket)],
    [
      'in the same turn as the end',
      (socket) => {
        socket.end();
        reset(socket);
      },
    ],
    [
      'in the same turn as the end of a response',
      (socket) => {
        socket.end('answer');
        reset(socket);
      },
    ],
    [
      'while the FIN is under way',
      (socket) => {
        socket.on('prefinish', () => reset(socket));
        socket.end('answer');
      },
    ],
    [
      'when the FIN is sent',
      (socket) => {
        socket.on('finish', () => reset(socket));
        socket.end('answer');
      },
    ],
    [
      'twice',
      (socket) => {
        socket.end();
        reset(socket);
        reset(socket);
      },
    ],
  ];
  test.each(cases)('%s: closes at once, and the client sees a reset', async (_when, act) => {
    await using bare = await Bare.start(createServer({ allowHalfOpen: true }));
    using client = await Client.connect(bare.port);
    while (bare.sockets.length === 0) await turns(1);
    const [socket] = bare.sockets;
    const faults: Error[] = [];
    socket?.on('error', (error) => faults.push(error));
    expect(socket).toBeDefined();
    if (socket === undefined) return;
    const closed = new Promise((resolve) => {
      socket.on('close', resolve);
    });
    act(socket);
    await closed;
    expect(faults).toEqual([]);
    expect(await client.end()).toBe('reset');
  });
});
