/** Lets a bounded number of things happen in a second, and some more in a burst. */

import { performance } from 'node:perf_hooks';

interface TokenBucketLimits {
  readonly perSecond: number;
  readonly atOnce: number;
}

/** To keep more than a person can look at, as in a load test, would cost more than the exchanges themselves. */
export const LOOKED_AT: TokenBucketLimits = { perSecond: 100, atOnce: 300 };

export class TokenBucket {
  readonly #limits: TokenBucketLimits;
  readonly #clock: () => number;
  #left: number;
  #sinceMs: number;

  /** @param clock in ms, monotonic */
  constructor(limits: TokenBucketLimits, clock: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#clock = clock;
    this.#left = limits.atOnce;
    this.#sinceMs = clock();
  }

  take(): boolean {
    const { perSecond, atOnce } = this.#limits;
    const nowMs = this.#clock();
    this.#left = Math.min(atOnce, this.#left + ((nowMs - this.#sinceMs) * perSecond) / 1000);
    this.#sinceMs = nowMs;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
