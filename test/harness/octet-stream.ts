/** Bodies too large to be kept: sent as fast as the socket takes them, and only their digests compared; and upstreams that send them. */

import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { Bare } from './bare.ts';

export const MIB = 1024 * 1024;

/** Pieces that differ from one another, each valid until the next one is asked for. */
function* pieces(bytes: number): Generator<Buffer> {
  const piece = Buffer.alloc(MIB, 'the same octets in every piece, but for its number. ');
  for (let from = 0; from < bytes; from += MIB) {
    piece.writeDoubleBE(from);
    yield piece.subarray(0, Math.min(MIB, bytes - from));
  }
}

/** The digest that `bytes` octets of such a body have. */
export function digestOf(bytes: number): string {
  const hash = createHash('md5');
  for (const piece of pieces(bytes)) hash.update(piece);
  return hash.digest('hex');
}

/** Resolves when all octets are with the kernel, or the connection is over. */
export async function sendOctets(socket: Socket, bytes: number, framed: 'plain' | 'chunked'): Promise<void> {
  for (const piece of pieces(bytes)) {
    if (framed === 'chunked') socket.write(`${piece.length.toString(16)}\r\n`);
    await written(socket, piece);
    if (framed === 'chunked') socket.write('\r\n');
    if (socket.destroyed) return;
  }
  if (framed === 'chunked') await written(socket, Buffer.from('0\r\n\r\n'));
}

function written(socket: Socket, octets: Buffer): Promise<void> {
  return new Promise((resolve) => {
    socket.write(octets, () => resolve());
  });
}

export interface Received {
  /** Up to and with the empty line. */
  readonly head: string;
  /** Octets behind the head, and their digest. */
  readonly bytes: number;
  readonly digest: string;
}

/** Reads a head and `bytes` octets behind it; fewer when the connection ends first. */
export function receiveOctets(socket: Socket, bytes: number): Promise<Received> {
  const hash = createHash('md5');
  let head = '';
  let inHead = true;
  let received = 0;
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('data', take).off('close', done).off('end', done);
      resolve({ head, bytes: received, digest: hash.digest('hex') });
    };
    const take = (octets: Buffer): void => {
      let rest = octets;
      if (inHead) {
        const before = head.length;
        head += octets.toString('latin1');
        const end = head.indexOf('\r\n\r\n');
        if (end < 0) return;
        inHead = false;
        rest = octets.subarray(end + 4 - before);
        head = head.slice(0, end + 4);
      }
      received += rest.length;
      hash.update(rest);
      if (received >= bytes) done();
    };
    socket.on('data', take).on('close', done).on('end', done);
  });
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
      void sendOctets(socket, sentBytes, 'plain');
    });
  };
}
