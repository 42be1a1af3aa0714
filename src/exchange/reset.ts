/** Ends a connection so that nobody can take it for an orderly end. */

import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** By RST over TCP. Over TLS the missing close_notify tells (RFC 9112 section 9.8); a unix socket has no reset. */
export function reset(socket: Socket | null): void {
  if (socket === null) return;
  // Not in the moment in which our own FIN goes out: libuv refuses, and Node takes the socket for closed and never
  // closes it (test/wire/reset.test.ts).
  if (finIsUnderWay(socket)) socket.once('finish', () => resetNow(socket));
  else resetNow(socket);
}

/** Until the next turn at most, since all octets are with the kernel. Over TLS they need not be. */
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
