/** A listener whose queue is full: the kernel drops what knocks, as it does before a server that is busy. */

import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { RunningCommand } from './process.ts';

export interface FullQueue extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
}

/** Listens, says where, and sleeps: its process accepts nothing. */
const LISTENER = `
const server = require('node:net').createServer().listen({ host: process.argv[1], port: 0, backlog: 1 }, () => {
  require('node:fs').writeSync(1, String(server.address().port));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});`;

export async function fullQueue(host: string): Promise<FullQueue> {
  const listener = new RunningCommand({ file: process.execPath, args: ['-e', LISTENER, host], graceMs: 0 });
  const port = Number(await listener.says(/^\d+$/));
  const inQueue: Socket[] = [];
  // Linux holds one more than the backlog says.
  for (let place = 0; place < 2; place += 1) {
    const socket = connect({ host, port });
    socket.on('error', () => undefined);
    inQueue.push(socket);
    await once(socket, 'connect');
  }
  return {
    host,
    port,
    async [Symbol.asyncDispose]() {
      for (const socket of inQueue) socket.destroy();
      await listener[Symbol.asyncDispose]();
    },
  };
}
