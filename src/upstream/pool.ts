/** Idle connections to the upstream, kept for the next exchange that may use one. */

import { performance } from 'node:perf_hooks';
import type { ConnectionReader, UpstreamConnection } from './connection.ts';

interface PoolLimits {
  readonly upstreamIdleTimeoutMs: number;
  readonly maxIdleConnections: number;
}

/**
 * How long the first octets of an answer may be alone on a used connection. Where a request follows an answer closely, Linux
 * delays the acknowledgement of the next answer by 40 ms; a server that writes its answer in parts, without TCP_NODELAY, waits
 * for it before the second (RFC 9293 section 3.7.4: Nagle; RFC 1122 section 4.2.3.2: delayed ACK). Django's runserver is one,
 * and Node has no TCP_QUICKACK.
 */
const LAG_MS = 30;
/** One may be a slow view. */
const LAGS_IN_A_ROW = 2;
/** Some may be a server with more threads at work than it can run. */
const LAGS_IN_A_ROW_RESTED = 8;
/** After a pause of more than those 40 ms, Linux acknowledges at once again. */
const REST_MS = 50;
/** After this time, it is tried again without a rest. */
const RESTED_FOR_MS = 60_000;

export class ConnectionPool {
  readonly #limits: PoolLimits;
  #closed = false;
  #restMs = 0;
  #restsUntilMs = 0;
  #lags = 0;
  /** The one used last is at the end. */
  readonly #idle: IdleConnection[] = [];

  constructor(limits: PoolLimits) {
    this.#limits = limits;
  }

  /** An idle connection that was still whole a moment ago, or null. It keeps its time limit until it is given another. */
  take(): UpstreamConnection | null {
    const nowMs = this.#nowMs();
    for (let idle = this.#next(nowMs); idle !== undefined; idle = this.#next(nowMs)) {
      const { connection } = idle;
      connection.attach(null);
      if (connection.usable) return connection;
      connection.destroy();
    }
    return null;
  }

  /** How long connections rest at present, in ms, before they are used again; Infinity: they are not. */
  get restMs(): number {
    return this.#restMs;
  }

  /**
   * On a used connection the first octets of an answer were alone for so long: too long, and for a while connections rest.
   * @param restMs what `restMs` was when it was taken: what was under way before that changed is no news
   */
  lagged(ms: number, restMs: number): void {
    if (restMs !== this.#restMs) return;
    this.#lags = ms < LAG_MS ? 0 : this.#lags + 1;
    if (this.#lags < (restMs === 0 ? LAGS_IN_A_ROW : LAGS_IN_A_ROW_RESTED)) return;
    this.#lags = 0;
    this.#restMs = this.#restMs === 0 ? REST_MS : Infinity;
    this.#restsUntilMs = performance.now() + RESTED_FOR_MS;
    this.#clear();
  }

  /** Keeps a connection whose exchange ended as both sides expected. */
  put(connection: UpstreamConnection): void {
    const { upstreamIdleTimeoutMs, maxIdleConnections } = this.#limits;
    const nowMs = this.#nowMs();
    const isUnwanted = this.#closed || this.#restMs === Infinity;
    if (isUnwanted || !connection.usable || this.#idle.length >= maxIdleConnections) {
      connection.destroy();
      return;
    }
    const idle = new IdleConnection(connection, nowMs, this.#drop);
    connection.attach(idle);
    connection.setTimeout(upstreamIdleTimeoutMs);
    this.#idle.push(idle);
  }

  /** Closes what is idle now, and what is put back later. */
  close(): void {
    this.#closed = true;
    this.#clear();
  }

  /** By the monotonic clock; 0 where connections need no rest, and nobody asks for the time. */
  #nowMs(): number {
    if (this.#restMs === 0) return 0;
    const nowMs = performance.now();
    if (nowMs >= this.#restsUntilMs) this.#restMs = 0;
    return nowMs;
  }

  /** The one used last, so that the others may grow old and be closed; where they rest, the one that has rested longest. */
  #next(nowMs: number): IdleConnection | undefined {
    if (this.#restMs === 0) return this.#idle.pop();
    const [first] = this.#idle;
    return first !== undefined && nowMs - first.sinceMs >= this.#restMs ? this.#idle.shift() : undefined;
  }

  #clear(): void {
    for (const { connection } of this.#idle.splice(0)) connection.destroy();
  }

  readonly #drop = (idle: IdleConnection): void => {
    const index = this.#idle.indexOf(idle);
    if (index >= 0) this.#idle.splice(index, 1);
    idle.connection.destroy();
  };
}

/** An idle connection is over at its first sign of life: a close, a stray octet or the idle time. */
class IdleConnection implements ConnectionReader {
  readonly connection: UpstreamConnection;
  readonly sinceMs: number;
  readonly #over: (idle: IdleConnection) => void;

  constructor(connection: UpstreamConnection, sinceMs: number, over: (idle: IdleConnection) => void) {
    this.connection = connection;
    this.sinceMs = sinceMs;
    this.#over = over;
  }

  window(): null {
    return null;
  }

  bytes(): boolean {
    this.#over(this);
    return true;
  }

  ended(): void {
    this.#over(this);
  }

  timedOut(): void {
    this.#over(this);
  }
}
