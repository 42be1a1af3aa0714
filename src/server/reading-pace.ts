/** How far a client's requests are read ahead of their answers. */

import type { Socket } from 'node:net';

/** What holds each socket back. */
const holds = new WeakMap<Socket, () => void>();

/**
 * Reads no further: what the client sends then stays with the kernel, and soon with the client. Node's http.Server
 * stops for answers that are not taken, but not for requests that wait; see test/facts/http-parser.test.ts.
 * That the client leaves is noticed only when the next answer is written to it, or it is read again.
 */
export function readNoFurther(socket: Socket): void {
  if (holds.has(socket)) return;
  // Node resumes the socket by itself, as when a large answer is written.
  const again = (): void => {
    socket.pause();
  };
  holds.set(socket, again);
  socket.on('resume', again);
  socket.pause();
}

/** Reads on, if it was told to stop. */
export function readOn(socket: Socket): void {
  const again = holds.get(socket);
  if (again === undefined) return;
  holds.delete(socket);
  socket.off('resume', again);
  socket.resume();
}
