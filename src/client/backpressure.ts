/** How much of what a client sends is read: no further, on again, or to be thrown away. */

import type { Socket } from 'node:net';

/** What holds each socket back. */
const holds = new WeakMap<Socket, () => void>();

/**
 * Reads no further: what the client sends then stays with the kernel, and soon with the client. Node's http.Server
 * stops for responses that are not taken, but not for requests that wait; see test/facts/http-parser.test.ts.
 * That the client leaves is noticed only when the next response is written to it, or it is read again.
 */
export function stopReading(socket: Socket): void {
  if (holds.has(socket)) return;
  // Node resumes the socket on its own, as when a large response is written.
  const again = (): void => {
    socket.pause();
  };
  holds.set(socket, again);
  socket.on('resume', again);
  socket.pause();
}

/** Reads on, if it was told to stop. */
export function resumeReading(socket: Socket): void {
  const again = holds.get(socket);
  if (again === undefined) return;
  holds.delete(socket);
  socket.off('resume', again);
  socket.resume();
}

/**
 * Takes the socket's input away from Node's HTTP parser and drops it. The parser reads from the socket's handle on
 * its own until somebody else listens for `data`; see test/facts/http-server.test.ts.
 */
export function discardInput(socket: Socket): void {
  socket.on('error', () => socket.destroy());
  resumeReading(socket);
  socket.resume();
  // A parser that waits for its request to be read has stopped the handle below the socket, and starts it again at
  // the socket's `resume`, which comes in a moment. Taken away before that, it would leave the handle stopped.
  setImmediate(() => {
    socket.removeAllListeners('data');
    socket.on('data', () => undefined);
    socket.resume();
  });
}
