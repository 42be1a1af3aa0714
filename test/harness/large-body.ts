/** Bodies too large to be kept: sent as fast as the socket takes them, and only their digests compared; and upstreams that send them. */

import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { Bare } from './bare.ts';
import type { ByteReader } from './byte-reader.ts';
import { sent } from './client.ts';

export const MIB = 1024 * 1024;

/** Pieces that differ from one another, each valid until the next one is asked for. */
function* pieces(bytes: number): Generator<Buffer> {
  const piece = Buffer.alloc(MIB, 'the same bytes in every piece, but for its number. ');
  for (let from = 0; from < bytes; from += MIB) {
    piece.writeDoubleBE(from);
    yield piece.subarray(0, Math.min(MIB, bytes - from));
  }
}

/** The digest that so many bytes of such a body have. */
export function digestOf(bytes: number): string {
  const hash = createHash('md5');
  for (const piece of pieces(bytes)) hash.update(piece);
  return hash.digest('hex');
}

/** Resolves when all bytes are with the kernel, or the connection is over. */
export async function sendBytes(socket: Socket, bytes: number, framed: 'plain' | 'chunked'): Promise<void> {
  for (const piece of pieces(bytes)) {
    if (framed === 'chunked') socket.write(`${piece.length.toString(16)}\r\n`);
    await sent(socket, piece);
    if (framed === 'chunked') socket.write('\r\n');
    if (socket.destroyed) return;
  }
  if (framed === 'chunked') await sent(socket, Buffer.from('0\r\n\r\n'));
}

export interface Received {
  /** Up to the empty line. */
  readonly head: string;
  /** Bytes after the head, and their digest. */
  readonly bytes: number;
  readonly digest: string;
}

/** Reads a head and so many bytes after it; fewer when the connection ends first. */
export async function receiveBytes(reader: ByteReader, bytes: number): Promise<Received> {
  const hash = createHash('md5');
  const head = (await reader.until('\r\n\r\n')) ?? '';
  let received = 0;
  while (received < bytes && (reader.bytes > 0 || (await reader.more()))) {
    const part = await reader.take(reader.bytes);
    received += part?.length ?? 0;
    hash.update(part ?? '');
  }
  return { head, bytes: received, digest: hash.digest('hex') };
}

/** An upstream that does this with every connection. */
export async function upstreamOf(act: (socket: Socket) => unknown): Promise<Bare<Server>> {
  return await Bare.start(
    createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => undefined);
      act(socket);
    }),
  );
}

/** Answers with a body of `bytes` once the request's head is there. */
export function answering(bytes: number, sentBytes = bytes): (socket: Socket) => void {
  return (socket) => {
    socket.once('data', () => {
      socket.write(`HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${bytes}\r\n\r\n`);
      void sendBytes(socket, sentBytes, 'plain');
    });
  };
}
