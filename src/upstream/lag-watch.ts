/** Sees how long the first octets of an answer were alone, on a connection that was used before; see pool.ts for why. */

import { performance } from 'node:perf_hooks';
import type { ConnectionPool } from './pool.ts';

/** More than this at once was not held back by Nagle's algorithm: it is several segments, or we read late. */
const SMALL_PART_BYTES = 4096;

export class LagWatch {
  readonly #pool: ConnectionPool;
  /** How long the connection had rested at least. */
  readonly #restMs: number;
  #reads = 0;
  #aloneSinceMs: number | null = null;

  constructor(pool: ConnectionPool) {
    this.#pool = pool;
    this.#restMs = pool.restMs;
  }

  /** More of the answer is here. */
  came(): void {
    if (this.#aloneSinceMs === null) return;
    this.#pool.lagged(performance.now() - this.#aloneSinceMs, this.#restMs);
    this.#aloneSinceMs = null;
  }

  /** So many octets have come, and the answer is not over. */
  isNotAll(bytes: number): void {
    this.#reads += 1;
    if (this.#reads === 1 && bytes < SMALL_PART_BYTES) this.#aloneSinceMs = performance.now();
  }
}
