/** Ends a connection so that nobody can take it for an orderly end. */

import type { Socket } from 'node:net';

/** By RST over TCP. Over TLS the missing close_notify tells (RFC 9112 section 9.8); a unix socket has no reset. */
export function reset(socket: Socket | null): void {
  try {
    socket?.resetAndDestroy();
  } catch {
    // Node resets only what is plain TCP.
    socket?.destroy();
  }
}
