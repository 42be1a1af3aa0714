/** Idle connections to the upstream, kept for the next exchange that may use one. */

import { performance } from 'node:perf_hooks';
import type { ConnectionReader, UpstreamConnection } from './connection.ts';

interface PoolLimits {
  readonly upstreamIdleTimeoutMs: number;
  readonly maxIdleConnections: number;
}

/**
 * How long the first octets of an answer may be alone on a used connection. Linux delays their acknowledgement by 40 ms there,
 * not on a new connection; a server that writes its answer in parts, without TCP_NODELAY, waits for it before the second (RFC
 * 9293 section 3.7.4: Nagle; RFC 1122 section 4.2.3.2: delayed ACK). Django's runserver is one, and Node has no TCP_QUICKACK.
 */
const LAG_MS = 30;
/** One may be a slow view. */
const LAGS_IN_A_ROW = 2;
/** Then new connections are the faster ones. After this time, used ones are tried again. */
const AVOIDED_MS = 60_000;

export class ConnectionPool {
  readonly #limits: PoolLimits;
  #closed = false;
  #avoidedUntilMs = -Infinity;
  #lags = 0;
  /** The one used last is at the end, and is taken first: the others may grow old and be closed. */
  readonly #idle: UpstreamConnection[] = [];

  constructor(limits: PoolLimits) {
    this.#limits = limits;
  }

  /** An idle connection that was still whole a moment ago, or null. It keeps its time limit until it is given another. */
  take(): UpstreamConnection | null {
    for (let connection = this.#idle.pop(); connection !== undefined; connection = this.#idle.pop()) {
      connection.attach(null);
      if (connection.usable) return connection;
      connection.destroy();
    }
    return null;
  }

  /** On a used connection the first octets of an answer were alone for so long: too long, and no connection is kept for a while. */
  lagged(ms: number): void {
    this.#lags = ms < LAG_MS ? 0 : this.#lags + 1;
    if (this.#lags < LAGS_IN_A_ROW) return;
    this.#lags = 0;
    this.#avoidedUntilMs = performance.now() + AVOIDED_MS;
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }

  /** Keeps a connection whose exchange ended as both sides expected. */
  put(connection: UpstreamConnection): void {
    const { upstreamIdleTimeoutMs, maxIdleConnections } = this.#limits;
    const isUnwanted = this.#closed || this.#isAvoided();
    if (isUnwanted || !connection.usable || this.#idle.length >= maxIdleConnections) {
      connection.destroy();
      return;
    }
    connection.attach(new IdleWatch(connection, this.#drop));
    connection.setTimeout(upstreamIdleTimeoutMs);
    this.#idle.push(connection);
  }

  /** Closes what is idle now, and what is put back later. */
  close(): void {
    this.#closed = true;
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }

  #isAvoided(): boolean {
    return this.#avoidedUntilMs > 0 && performance.now() < this.#avoidedUntilMs;
  }

  readonly #drop = (connection: UpstreamConnection): void => {
    const index = this.#idle.indexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
    connection.destroy();
  };
}

/** An idle connection is over at its first sign of life: a close, a stray octet or the idle time. */
class IdleWatch implements ConnectionReader {
  readonly #connection: UpstreamConnection;
  readonly #drop: (connection: UpstreamConnection) => void;

  constructor(connection: UpstreamConnection, drop: (connection: UpstreamConnection) => void) {
    this.#connection = connection;
    this.#drop = drop;
  }

  window(): null {
    return null;
  }

  bytes(): boolean {
    this.#drop(this.#connection);
    return true;
  }

  ended(): void {
    this.#drop(this.#connection);
  }

  timedOut(): void {
    this.#drop(this.#connection);
  }
}
