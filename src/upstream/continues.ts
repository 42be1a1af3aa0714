/** Whether the upstream takes a request up with 100 (Continue): learned from what it does. */

import type { Evidence } from './evidence.ts';
import type { VerdictKind } from './verdict.ts';

export class Continues {
  #habit: 'unknown' | 'sends' | 'never' = 'unknown';

  /** Whether to ask with `Expect: 100-continue`: not one that has shown that it does not answer that. */
  get asked(): boolean {
    return this.#habit !== 'never';
  }

  /** Whether it says so when it takes a request up: one that is silent then has not done so yet. */
  get said(): boolean {
    return this.#habit === 'sends';
  }

  /** What comes back after a restart may be another server. */
  forget(): void {
    this.#habit = 'unknown';
  }

  /** Learns from an attempt, if it asked. */
  learn(verdict: VerdictKind, evidence: Evidence): void {
    const { expectation, requestBody, head } = evidence;
    if (expectation === 'none') return;
    if (expectation === 'continued') this.#habit = 'sends';
    else if (head?.status === 417 || (verdict === 'complete' && requestBody === 'whole'))
      this.#habit = 'never';
  }
}
