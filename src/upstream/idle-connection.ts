/** A connection between two exchanges: nothing may come on it, and it is used again only after it has been silent for a while. */

import { performance } from 'node:perf_hooks';
import type { ConnectionReader, UpstreamConnection } from './connection.ts';

/**
 * How long a connection rests before it is used again. An upstream that sends a second response after the first (a bug of its
 * framework, a second `end()`) does that within milliseconds, and whatever comes before the next request is known to be no response to
 * it. 50 ms are also longer than Linux delays an acknowledgement (40 ms): after them it acknowledges at once, and a server that
 * writes a response in parts without TCP_NODELAY, such as Django's runserver, does not wait for it. See decision 12.
 */
export const REST_MS = 50;

/** How a connection ended while it was idle. */
export type IdleEnd = 'closed' | 'stray-bytes' | 'timed-out';

export class IdleConnection implements ConnectionReader {
  readonly connection: UpstreamConnection;
  readonly #sinceMs: number = performance.now();
  readonly #over: (idle: IdleConnection, how: IdleEnd) => void;

  /** @param over it is destroyed, because something happened on it or its time ran out */
  constructor(connection: UpstreamConnection, over: (idle: IdleConnection, how: IdleEnd) => void) {
    this.connection = connection;
    this.#over = over;
    connection.attach(this);
  }

  /** How long it has still to rest, in ms; 0 or less: it has rested. */
  get restLeftMs(): number {
    return REST_MS - (performance.now() - this.#sinceMs);
  }

  /**
   * The connection, if it is still silent; null: it is over. What the kernel has received by now is read before this
   * resolves, however long the event loop stood still: the first turn ends the poll that is under way, the second is
   * after one that began after the call (libuv's design overview, "The I/O loop").
   */
  async takeIfSilent(): Promise<UpstreamConnection | null> {
    await nextTurn();
    await nextTurn();
    if (!this.connection.usable) return null;
    this.connection.attach(null);
    return this.connection;
  }

  window(): null {
    return null;
  }

  bytes(): boolean {
    this.#end('stray-bytes');
    return true;
  }

  ended(): void {
    this.#end('closed');
  }

  timedOut(): void {
    this.#end('timed-out');
  }

  #end(how: IdleEnd): void {
    this.connection.destroy();
    this.#over(this, how);
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
