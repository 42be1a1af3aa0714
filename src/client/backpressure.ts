/** Controls reading from a client: stop, resume, or discard. */

import type { Socket } from 'node:net';
import { ignoreRequests } from './request-parser.ts';

/** The `resume` listener of each socket that is not read at present. */
const pausers = new WeakMap<Socket, () => void>();

/**
 * Stops reading: what the client sends stays in the kernel's buffers, and then in the client's. Node's http.Server
 * stops for responses that the client does not read, but not for requests that wait; see test/facts/http-parser.test.ts.
 * A client that leaves is noticed only when the next response is written, or reading resumes.
 */
export function stopReading(socket: Socket): void {
  if (pausers.has(socket)) return;
  // Node resumes the socket on its own, for example when a large response has been written.
  const pauseAgain = (): void => {
    socket.pause();
  };
  pausers.set(socket, pauseAgain);
  socket.on('resume', pauseAgain);
  socket.pause();
}

/** Resumes reading, if `stopReading` stopped it. */
export function resumeReading(socket: Socket): void {
  const pauseAgain = pausers.get(socket);
  if (pauseAgain === undefined) return;
  pausers.delete(socket);
  socket.off('resume', pauseAgain);
  socket.resume();
}

/**
 * Detaches the socket's input from Node's HTTP parser and discards it. The parser reads directly from the socket's handle
 * until another `data` listener is added; see test/facts/http-server.test.ts.
 */
export function discardInput(socket: Socket): void {
  socket.on('error', () => socket.destroy());
  ignoreRequests(socket);
  resumeReading(socket);
  socket.resume();
  // A parser whose request is not being read has stopped the socket's handle, and restarts it at the socket's `resume`
  // event, which comes in the next turn. Detached before that, it would leave the handle stopped.
  setImmediate(() => {
    socket.removeAllListeners('data');
    socket.on('data', () => undefined);
    socket.resume();
  });
}
