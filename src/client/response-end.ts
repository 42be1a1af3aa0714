/** How a response ends on its client's side: sent to its last byte, or left by its client. */

import type { ServerResponse } from 'node:http';

/**
 * Resolves when the response is over: with true when it was sent to the last octet. `left` is called then, too. Node
 * closes a response only once it is its turn on the connection, so the connection is watched as well.
 */
export function responseClosed(response: ServerResponse, left: () => void): Promise<boolean> {
  const { socket } = response.req;
  return new Promise((resolve) => {
    const over = (): void => {
      socket.off('close', over);
      left();
      // What could not be written counts as written for Node, once the socket has failed.
      resolve(response.writableFinished && socket.errored === null);
    };
    response.on('close', over);
    if (socket.destroyed) over();
    else socket.on('close', over);
  });
}

/** How long a half-closed client may be silent before the kernel asks whether it is still there. */
const PROBE_MS = 10_000;

/**
 * A client that closes its side while a stream is under way has left: nothing else would tell until the next event.
 * One that had closed its side before the stream began reads on (RFC 9112 section 9.6); the kernel's probes find out
 * when it is gone. Returns a function that stops watching.
 */
export function whenClientLeaves(response: ServerResponse, left: () => void): () => void {
  const { socket } = response.req;
  if (socket.readableEnded) {
    socket.setKeepAlive(true, PROBE_MS);
    return () => undefined;
  }
  socket.once('end', left);
  return () => socket.off('end', left);
}
