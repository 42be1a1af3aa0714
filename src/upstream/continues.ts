/** Whether the upstream answers `Expect: 100-continue` at all: learned from what it does. */

import type { Evidence } from './evidence.ts';
import type { VerdictKind } from './verdict.ts';

export class Continues {
  #habit: 'unknown' | 'some' | 'never' = 'unknown';

  /** Whether to ask: not one that has shown that it does not answer that. */
  get asked(): boolean {
    return this.#habit !== 'never';
  }

  /** What comes back after a restart may be another server. */
  forget(): void {
    this.#habit = 'unknown';
  }

  /** Learns from an attempt, if it asked. */
  learn(verdict: VerdictKind, evidence: Evidence): void {
    const { expectation, requestBody, head } = evidence;
    if (expectation === 'none') return;
    if (expectation === 'continued') this.#habit = 'some';
    else if (head?.status === 417) this.#habit = 'never';
    // Some say it only for what reads the body: one that was heard once may say it again.
    else if (this.#habit === 'unknown' && verdict === 'complete' && requestBody === 'whole')
      this.#habit = 'never';
  }
}
