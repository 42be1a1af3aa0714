/** How a client's connection ends: cleanly, so that nothing on its way is lost, or by a reset that nobody can take for that. */

import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { discardInput } from './backpressure.ts';

export interface LingerLimits {
  /** A client that sends nothing for so long waits for our FIN: it gets it. */
  readonly lingerTimeoutMs: number;
  /** A client that has not closed after so long is cut off. */
  readonly lingerTotalMs: number;
}

const lingering = new WeakSet<Socket>();

/**
 * Everything that still arrives is read and thrown away, and our FIN goes out only after the client's (RFC 9112 section
 * 9.6). A socket that is closed with bytes unread is reset by the kernel, and a reset throws away what the client has not
 * read yet. Call when the last byte is written. May be called twice.
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

/** By RST over TCP. Over TLS the missing close_notify tells (RFC 9112 section 9.8); a unix socket has no reset. */
export function reset(socket: Socket | null): void {
  if (socket === null) return;
  // Not in the moment in which our own FIN goes out: libuv refuses, and Node takes the socket for closed and never
  // closes it (test/wire/reset.test.ts).
  if (finIsUnderWay(socket)) socket.once('finish', () => resetNow(socket));
  else resetNow(socket);
}

/** Until the next turn at most, since all bytes are with the kernel. Over TLS they need not be. */
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
