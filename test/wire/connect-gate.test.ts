// Connections to an upstream whose listen queue is short: the clock says when, real sockets say how many.

import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConnectGate } from '../../src/upstream/connect-gate.ts';
import { openConnection } from '../../src/upstream/dial.ts';
import type { Connecting } from '../../src/upstream/connection.ts';

let server: Server;
let accepted: Socket[];
let opened: Connecting[];
let nowMs: number;
let gate: ConnectGate;

beforeEach(async () => {
  accepted = [];
  opened = [];
  nowMs = 0;
  gate = new ConnectGate(() => nowMs);
  server = createServer((socket) => accepted.push(socket.on('error', () => undefined).resume()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(async () => {
  for (const connecting of opened) {
    connecting.cancel();
    const result = await connecting.result;
    if (result.kind === 'connected') result.connection.destroy();
  }
  server.close();
  await once(server, 'close');
});

function portOf(listening: Server): number {
  const address = listening.address();
  if (address === null || typeof address === 'string') throw new Error('it does not listen on a port');
  return address.port;
}

function open(port: number = portOf(server)): Connecting {
  const target = { kind: 'tcp', host: '127.0.0.1', port, tls: false } as const;
  const connecting = gate.open(() => openConnection({ target, insecure: false, timeoutMs: 5000 }));
  opened.push(connecting);
  return connecting;
}

/** A connect that takes as long as one whose SYN is sent again. */
async function connectSlowly(): Promise<void> {
  const connecting = open();
  nowMs += 1000;
  expect(await connecting.result).toMatchObject({ kind: 'connected' });
}

async function until(reached: () => boolean): Promise<void> {
  while (!reached()) await new Promise((resolve) => setImmediate(resolve));
}

test('all connect at once to an upstream that takes them', async () => {
  await open().result;
  for (let connections = 0; connections < 20; connections += 1) open();
  expect(gate.waiting).toBe(0);
  await until(() => accepted.length === 21);
});

describe('after a connect that took a second', () => {
  beforeEach(connectSlowly);

  test('four at a time are on their way, and a byte of one lets the next in', async () => {
    for (let connections = 0; connections < 6; connections += 1) open();
    expect(gate.waiting).toBe(2);
    const fourth = await opened[4]?.result;
    if (fourth?.kind !== 'connected') throw new Error('four connect at once');
    await until(() => accepted.length === 5);
    accepted.at(-1)?.write('x');
    await until(() => gate.waiting < 2);
  });

  test('one that ends, or fails, lets the next in too', async () => {
    const unused = createServer().listen(0, '127.0.0.1');
    await once(unused, 'listening');
    const port = portOf(unused);
    unused.close();
    await once(unused, 'close');
    for (let connections = 0; connections < 4; connections += 1) open(port);
    const last = open();
    expect(gate.waiting).toBe(1);
    expect(await last.result).toMatchObject({ kind: 'connected' });
    expect(await opened[1]?.result).toMatchObject({ kind: 'failed', errorCode: 'ECONNREFUSED' });
  });

  test('silent ones are taken for accepted after a while, so that nobody waits for a slow response', async () => {
    for (let connections = 0; connections < 20; connections += 1) open();
    expect(gate.waiting).toBe(16);
    for (const { result } of opened) expect(await result).toMatchObject({ kind: 'connected' });
    expect(gate.waiting).toBe(0);
  });

  test('one that is given up waits no longer', async () => {
    for (let connections = 0; connections < 5; connections += 1) open();
    const last = opened.at(-1);
    last?.cancel();
    expect(gate.waiting).toBe(0);
    expect(await last?.result).toEqual({
      kind: 'failed',
      errorCode: 'ECONNABORTED',
      timedOut: false,
      detail: null,
    });
  });

  test('all connect at once again a minute later', async () => {
    nowMs += 60_000;
    for (let connections = 0; connections < 20; connections += 1) open();
    expect(gate.waiting).toBe(0);
    await until(() => accepted.length === 21);
  });
});
