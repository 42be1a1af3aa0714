/**
 * Removes an ignored upgrade offer from a request and returns the rest to Node's parser. Node itself can ignore the offer,
 * but then it loses what follows the request in the same packet; see test/facts/upgrades.test.ts.
 */

import type { IncomingMessage } from 'node:http';
import type { Server, Socket } from 'node:net';
import { headWithoutOffer } from '../http/upgrade.ts';

/** Puts the request back on its socket. Call at once: nothing can be put back after the end of its input. */
export function putBack(request: IncomingMessage, head: Buffer): void {
  const { method = '', url = '', httpVersion, rawHeaders, socket } = request;
  const again = headWithoutOffer({ method, url, httpVersion, fields: rawHeaders });
  socket.unshift(Buffer.concat([Buffer.from(again, 'latin1'), head]));
}

/** Starts parsing the socket, as if it had just been accepted. Resolves when the bytes that were put back are parsed. */
export async function parse(server: Server, socket: Socket, encrypted: boolean): Promise<void> {
  // The idle timeout may still be running.
  socket.setTimeout(0);
  server.emit(encrypted ? 'secureConnection' : 'connection', socket);
  await new Promise<void>((resolve) => {
    process.nextTick(resolve);
  });
}

/**
 * Responses that must be sent before an upgrade wait for `drain` through listeners that Node has removed from the socket
 * by then.
 *
 * @param listeners those listeners; they may also start reading the socket, which has no reader yet
 * @returns a function that stops calling them
 */
export function keepDraining(socket: Socket, listeners: readonly object[]): () => void {
  const drained = (): void => {
    const flowing = socket.readableFlowing;
    for (const listener of listeners) if (isFunction(listener)) listener();
    if (flowing === true || !socket.readableFlowing) return;
    socket.pause();
    Reflect.set(socket, 'readableFlowing', flowing);
  };
  socket.on('drain', drained);
  return () => socket.off('drain', drained);
}

function isFunction(value: unknown): value is () => void {
  return typeof value === 'function';
}
