/** Memory that an idle client costs each peer: thousands that asked once and keep their connections. */

import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { residentBytes } from '../../test/harness/procfs.ts';
import type { Arguments } from '../arguments.ts';
import { load } from '../load.ts';
import { Scene } from '../scene.ts';
import { figure, table } from '../tables.ts';

const CLIENTS = 5000;
const AT_ONCE = 100;

export async function idle({ peers }: Arguments): Promise<string> {
  await using scene = await Scene.open();
  const rows: string[][] = [];
  for (const peer of peers.filter(({ name }) => name !== 'direct')) {
    const { url, child } = await scene.start(peer);
    const path = scene.path(1024);
    // What is compiled and allocated once is no cost of a connection.
    await load({ url: url + path, connections: 32, seconds: 2 });
    const before = residentBytes(child.pid);
    const sockets: Socket[] = [];
    while (sockets.length < CLIENTS) {
      const port = Number(new URL(url).port);
      sockets.push(...(await Promise.all(Array.from({ length: AT_ONCE }, () => askedOnce(port, path)))));
    }
    const each = (residentBytes(child.pid) - before) / CLIENTS / 1000;
    for (const socket of sockets) socket.destroy();
    rows.push([peer.name, figure(each)]);
    await child[Symbol.asyncDispose]();
  }
  return [
    `${CLIENTS} clients on kept connections, after one response of 1 KB each.`,
    table(['', 'KB a client'], rows),
  ].join('\n\n');
}

/** A client that has had a response of 1 KB and keeps its connection. */
async function askedOnce(port: number, path: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
  let got = 0;
  while (got < 1024) {
    const [part]: unknown[] = await once(socket, 'data');
    got += Buffer.isBuffer(part) ? part.length : 0;
  }
  return socket;
}
