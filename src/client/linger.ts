/** How a client's connection ends: cleanly, so that no bytes in transit are lost, or by a reset, which cannot be mistaken for a clean end. */

import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { discardInput } from './backpressure.ts';

export interface LingerLimits {
  /** After this time without a byte from the client, our FIN is sent: the client may be waiting for it. */
  readonly lingerTimeoutMs: number;
  /** A client that has not closed after this time is disconnected. */
  readonly lingerTotalMs: number;
}

const lingering = new WeakSet<Socket>();

/**
 * Reads and discards everything that still arrives, and sends our FIN only after the client's (RFC 9112 section 9.6). The
 * kernel resets a socket that is closed with unread bytes, and a reset discards what the client has not read yet. Call
 * when the last byte is written. May be called twice.
 */
export function linger(socket: Socket, limits: LingerLimits): void {
  if (lingering.has(socket)) return;
  lingering.add(socket);
  socket.setTimeout(0);
  discardInput(socket);
  if (socket.destroyed) return;
  if (socket.readableEnded) {
    socket.end();
    return;
  }
  const idle = setTimeout(() => socket.end(), limits.lingerTimeoutMs);
  const total = setTimeout(() => socket.destroy(), limits.lingerTotalMs);
  setImmediate(() => socket.on('data', () => idle.refresh()));
  socket.on('end', () => socket.end());
  socket.on('close', () => {
    clearTimeout(idle);
    clearTimeout(total);
  });
}

/** Over TCP by RST. Over TLS the client sees a missing close_notify (RFC 9112 section 9.8); a unix socket has no reset. */
export function reset(socket: Socket | null): void {
  if (socket === null) return;
  // Not while our own FIN is being sent: libuv refuses, and Node then considers the socket closed without closing it
  // (test/wire/reset.test.ts).
  if (finIsUnderWay(socket)) socket.once('finish', () => resetNow(socket));
  else resetNow(socket);
}

/** True until the next turn at most, since the kernel has all bytes. Over TLS that need not be so. */
function finIsUnderWay(socket: Socket): boolean {
  const { writableEnded, writableFinished, writableLength, destroyed } = socket;
  if (destroyed || socket instanceof TLSSocket) return false;
  return writableEnded && !writableFinished && writableLength === 0;
}

function resetNow(socket: Socket): void {
  try {
    socket.resetAndDestroy();
  } catch {
    // Node resets only what is plain TCP.
    socket.destroy();
  }
}
