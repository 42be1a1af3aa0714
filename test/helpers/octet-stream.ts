/** Bodies too large to be kept: sent as fast as the socket takes them, and only their digests compared. */

import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';

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
