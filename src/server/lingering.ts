/**
 * Closing a client's connection so that nothing on its way is lost (RFC 9112 section 9.6): everything that still
 * arrives is read and thrown away, and our FIN goes out only after the client's. A socket that is closed with
 * octets unread is reset by the kernel, and a reset throws away what the client has not read yet.
 */

import type { Socket } from 'node:net';
import { readOn } from './reading-pace.ts';

export interface LingerLimits {
  /** A client that sends nothing for so long waits for our FIN: it gets it. */
  readonly lingerTimeoutMs: number;
  /** A client that has not closed after so long is cut off. */
  readonly lingerTotalMs: number;
}

const lingering = new WeakSet<Socket>();

/** Call when the last octet is written. May be called twice. */
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

/**
 * Takes the socket's input away from Node's HTTP parser and drops it. The parser reads from the socket's handle by
 * itself until somebody else listens for `data`; see test/facts/http-server.test.ts.
 */
export function discardInput(socket: Socket): void {
  socket.on('error', () => socket.destroy());
  readOn(socket);
  socket.resume();
  // A parser that waits for its request to be read has stopped the handle below the socket, and starts it again at
  // the socket's `resume`, which comes in a moment. Taken away before that, it would leave the handle stopped.
  setImmediate(() => {
    socket.removeAllListeners('data');
    socket.on('data', () => undefined);
    socket.resume();
  });
}
