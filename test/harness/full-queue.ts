/** A listener whose queue is full: the kernel drops what knocks, as it does before a server that is busy. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

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
  const child = spawn(process.execPath, ['-e', LISTENER, host], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  const [said] = await once(child.stdout, 'data');
  const port = Number(said);
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
      child.kill('SIGKILL');
      await closed;
    },
  };
}
