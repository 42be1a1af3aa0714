/** The upstream of the soak, a thread of its own: does on every request what its target wishes. */

import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { parentPort } from 'node:worker_threads';
import { bodyOf } from './body.ts';
import { ByteReader } from '../../test/harness/byte-reader.ts';
import { wishOf } from './plan.ts';
import type { Wish } from './plan.ts';

/** `leave` and `return` are an outage: the listener goes away and comes back on the same port. */
export type UpstreamAsk = 'count' | 'leave' | 'return';

export interface UpstreamReply {
  readonly port: number;
  readonly connections: number;
  /** Requests whose body was another one than they announced. */
  readonly wrongUploads: number;
}

interface Request {
  readonly method: string;
  readonly wish: Wish;
  readonly bodyBytes: number;
}

const MOST_CHUNKS = 10_000;

const sockets = new Set<Socket>();
/** How often the tries of a request have met its fault. */
const faultsMet = new Map<number, number>();
let wrongUploads = 0;
let server: Server;
let port = 0;

async function listen(): Promise<void> {
  server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    void serve(socket);
  });
  server.listen(port, '127.0.0.1', 4096);
  await once(server, 'listening');
  const address = server.address();
  if (address !== null && typeof address !== 'string') port = address.port;
}

async function serve(socket: Socket): Promise<void> {
  const reader = new ByteReader(socket);
  for (;;) {
    const head = await reader.until('\r\n\r\n');
    if (head === null) break;
    const request = requestOf(head);
    if (!(await answer(socket, reader, request))) break;
  }
  socket.end();
}

function requestOf(head: string): Request {
  const [method = '', target = ''] = head.slice(0, head.indexOf('\r\n')).split(' ');
  const bodyBytes = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
  return { method, wish: wishOf(target), bodyBytes };
}

/** True: the connection goes on. */
async function answer(socket: Socket, reader: ByteReader, request: Request): Promise<boolean> {
  const { wish, bodyBytes } = request;
  const fault = meetsFault(wish) ? wish.fault : 'sound';
  if (wish.framed === 'upgrade') return await echo(socket, reader);
  if (fault === 'unread') {
    socket.pause();
    await send(socket, pieces(request));
    socket.destroy();
    return false;
  }
  const body = await reader.take(bodyBytes);
  if (body === null) return false;
  if (!body.equals(bodyOf(wish.id, wish.uploadBytes))) {
    wrongUploads += 1;
    await send(socket, [Buffer.from('HTTP/1.1 500 Another Body\r\nContent-Length: 0\r\n\r\n')]);
    return true;
  }
  const all = pieces(request);
  if (fault !== 'sound') return await fail(socket, reader, fault, cutOff(all, wish.id));
  await send(socket, all);
  return wish.framed !== 'close' && wish.id % 10 > 0;
}

function meetsFault({ fault, id, times }: Wish): boolean {
  if (fault === 'sound') return false;
  const met = faultsMet.get(id) ?? 0;
  faultsMet.set(id, met + 1);
  return met < times;
}

async function fail(
  socket: Socket,
  reader: ByteReader,
  fault: 'fin' | 'rst' | 'hang',
  part: readonly Buffer[],
): Promise<boolean> {
  await send(socket, part);
  if (fault === 'rst') socket.resetAndDestroy();
  if (fault === 'hang') await reader.end();
  return false;
}

async function echo(socket: Socket, reader: ByteReader): Promise<boolean> {
  await send(socket, [
    Buffer.from('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'),
  ]);
  do {
    const part = await reader.take(reader.bytes);
    if (part !== null) await send(socket, [part]);
  } while (await reader.more());
  return false;
}

/** The response as it is written. */
function pieces({ method, wish }: Request): Buffer[] {
  const { framed, id, bytes, early } = wish;
  const body = bodyOf(id, bytes);
  const interim = early ? 'HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n' : '';
  const head = (status: string, fields: string): Buffer =>
    Buffer.from(`${interim}HTTP/1.1 ${status}\r\nX-Id: ${id}\r\n${fields}\r\n`);
  const shown = (parts: Buffer[]): Buffer[] => (method === 'HEAD' ? [] : parts);
  switch (framed) {
    case 'none':
      return [id % 2 === 0 ? head('204 No Content', '') : head('304 Not Modified', 'ETag: "a"\r\n')];
    case 'length':
      return [head('200 OK', `Content-Length: ${bytes}\r\n`), ...shown([body])];
    case 'close':
      return [head('200 OK', 'Connection: close\r\n'), ...shown([body])];
    case 'chunked':
      return [head('200 OK', 'Transfer-Encoding: chunked\r\n'), ...shown(chunks(body, 1 + (id % 60_000)))];
    case 'events': {
      const type = 'Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n';
      return [head('200 OK', type), ...chunks(body, Math.ceil(bytes / 5))];
    }
    case 'upgrade':
      return [];
  }
}

/** Of this size, or larger where there would be more of them than a soak has time for. */
function chunks(body: Buffer, wishedBytes: number): Buffer[] {
  const sizeBytes = Math.max(wishedBytes, Math.ceil(body.length / MOST_CHUNKS));
  const out: Buffer[] = [];
  for (let from = 0; from < body.length; from += sizeBytes) {
    const chunk = body.subarray(from, from + sizeBytes);
    out.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n'));
  }
  return [...out, Buffer.from('0\r\n\r\n')];
}

/** A part that lacks one byte at least. */
function cutOff(all: readonly Buffer[], id: number): Buffer[] {
  let left = (id * 7919) % all.reduce((sum, piece) => sum + piece.length, 0);
  const part: Buffer[] = [];
  for (const piece of all) {
    part.push(piece.subarray(0, left));
    left -= Math.min(left, piece.length);
  }
  return part;
}

/** Resolves when all is with the kernel, or the connection is gone. */
async function send(socket: Socket, parts: readonly Buffer[]): Promise<void> {
  socket.cork();
  for (const part of parts) if (part.length > 0) socket.write(part);
  await new Promise<void>((resolve) => {
    socket.write('', () => resolve());
    socket.uncork();
  });
}

async function obey(asked: UpstreamAsk): Promise<UpstreamReply> {
  if (asked === 'leave') server.close();
  if (asked === 'return') await listen();
  return { port, connections: sockets.size, wrongUploads };
}

parentPort?.on('message', (asked: UpstreamAsk) => {
  void obey(asked).then((reply) => parentPort?.postMessage(reply));
});
await listen();
