/** Idle connections to the upstream, kept for the next exchange that may use one. */

import type { ConnectionReader, UpstreamConnection } from './connection.ts';

interface PoolLimits {
  readonly upstreamIdleTimeoutMs: number;
  readonly maxIdleConnections: number;
}

export class ConnectionPool {
  readonly #limits: PoolLimits;
  #closed = false;
  /** The one used last is at the end, and is taken first: the others may grow old and be closed. */
  readonly #idle: UpstreamConnection[] = [];

  constructor(limits: PoolLimits) {
    this.#limits = limits;
  }

  /** An idle connection that was still whole a moment ago, or null. */
  take(): UpstreamConnection | null {
    for (let connection = this.#idle.pop(); connection !== undefined; connection = this.#idle.pop()) {
      connection.attach(null);
      connection.setTimeout(0);
      if (connection.usable) return connection;
      connection.destroy();
    }
    return null;
  }

  /** Keeps a connection whose exchange ended as both sides expected. */
  put(connection: UpstreamConnection): void {
    const { upstreamIdleTimeoutMs, maxIdleConnections } = this.#limits;
    if (this.#closed || !connection.usable || this.#idle.length >= maxIdleConnections) {
      connection.destroy();
      return;
    }
    connection.attach(this.#watch(connection));
    connection.setTimeout(upstreamIdleTimeoutMs);
    this.#idle.push(connection);
  }

  /** Closes what is idle now, and what is put back later. */
  close(): void {
    this.#closed = true;
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }

  /** An idle connection is over at its first sign of life: a close, a stray octet or the idle time. */
  #watch(connection: UpstreamConnection): ConnectionReader {
    const drop = (): void => {
      const index = this.#idle.indexOf(connection);
      if (index >= 0) this.#idle.splice(index, 1);
      connection.destroy();
    };
    return {
      window: () => null,
      bytes: () => {
        drop();
        return true;
      },
      ended: drop,
      timedOut: drop,
    };
  }
}
