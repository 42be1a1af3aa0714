/** What was learned about the upstream's routes: which of them answer without reading a request body, and what says 100 (Continue). */

import type { Settings } from '../config/settings.ts';
import type { Hold } from './request-sender.ts';
import { mayBeUntouched } from './evidence.ts';
import type { Evidence } from './evidence.ts';
import type { VerdictKind } from './verdict.ts';

/**
 * - `reads-body`: held its response back until the body came, so it reads it
 * - `needs-hold`: answered before its body came, or was cut with a body under way
 */
type RouteHabit = 'reads-body' | 'needs-hold';

interface Learned {
  readonly habit: RouteHabit;
  /** No response had come so far: what cut it may also have been a restart. */
  readonly beforeHead: boolean;
  /** Whether it said 100 (Continue). */
  readonly saysContinue: boolean;
}

/** Not at all. */
export const AT_ONCE: Hold = {
  expectContinue: false,
  silentMs: 0,
  continuedMs: 0,
  answeringMs: 0,
  saysContinue: false,
};

export type HoldSettings = Pick<Settings, 'withholdBody' | 'bodyHoldMs' | 'bodyHoldMaxMs'>;

const MAX_ROUTES = 1000;

export class Routes {
  readonly #continueSupport = new ContinueSupport();
  /** Least recently learned first. */
  readonly #learned = new Map<string, Learned>();

  /** How to hold the body of this request back. */
  hold(method: string, path: string, settings: HoldSettings): Hold {
    const { withholdBody, bodyHoldMaxMs } = settings;
    if (withholdBody === 'off') return AT_ONCE;
    const learned = this.#learned.get(routeKey(method, path));
    const holdMs = habitualHoldMs(learned?.habit ?? null, settings);
    const saysContinue = learned?.saysContinue === true;
    return {
      expectContinue: this.#continueSupport.asked,
      // One that says when it takes a request up is not waiting for the body while it is silent.
      silentMs: saysContinue && holdMs > 0 ? bodyHoldMaxMs : holdMs,
      continuedMs: holdMs,
      answeringMs: Math.max(holdMs, bodyHoldMaxMs),
      saysContinue,
    };
  }

  /** Learns from an attempt with a body that was to be held like this. */
  learn(method: string, path: string, hold: Hold, verdict: VerdictKind, evidence: Evidence): void {
    this.#continueSupport.learn(verdict, evidence);
    const key = routeKey(method, path);
    const known = isAnswer(verdict) ? (this.#learned.get(key)?.habit ?? null) : null;
    const habit = habitShown(hold, verdict, evidence) ?? known;
    if (habit === null || mayBeUntouched(evidence, hold.saysContinue)) return;
    this.#learned.delete(key);
    this.#learned.set(key, {
      habit,
      beforeHead: evidence.head === null,
      saysContinue: evidence.expectation === 'continued',
    });
    const [oldest] = this.#learned.keys();
    if (this.#learned.size > MAX_ROUTES && oldest !== undefined) this.#learned.delete(oldest);
  }

  /**
   * The upstream takes no connections: what was cut before its response was cut by its end, and not because of its body. What
   * comes back may be another server, so the 100 (Continue) has to be heard again.
   */
  upstreamIsAway(): void {
    this.#continueSupport.forget();
    for (const [key, learned] of this.#learned) {
      if (learned.beforeHead) this.#learned.delete(key);
      else if (learned.saysContinue) this.#learned.set(key, { ...learned, saysContinue: false });
    }
  }
}

/**
 * That an upstream keeps its connections alive is no reason to send at once: Python's http.server does, until it takes
 * an unread body for the next request and closes.
 */
function habitualHoldMs(
  habit: RouteHabit | null,
  { withholdBody, bodyHoldMs, bodyHoldMaxMs }: HoldSettings,
): number {
  if (habit === 'needs-hold') return bodyHoldMaxMs;
  return habit === 'reads-body' && withholdBody === 'auto' ? 0 : bodyHoldMs;
}

function isAnswer(verdict: VerdictKind): boolean {
  return verdict === 'complete' || verdict === 'unverifiable';
}

/** What an attempt with a body shows about its route; null: nothing. */
function habitShown(hold: Hold, verdict: VerdictKind, evidence: Evidence): RouteHabit | null {
  const { requestBody, ending } = evidence;
  const answered = isAnswer(verdict);
  if (answered && requestBody === 'withheld') return 'needs-hold';
  if (answered && hold.silentMs > 0 && requestBody === 'whole') return 'reads-body';
  // Only a reset can come of an unread body; a clean close is something else, such as a restart.
  return !answered && ending.kind === 'rst' && requestBody !== 'withheld' ? 'needs-hold' : null;
}

/**
 * The view, as far as an outsider can tell: the method and the path, without its query, and with `*` for each part that
 * holds a digit, since `/items/7` and `/items/8` are one view.
 */
function routeKey(method: string, path: string): string {
  const [plain = ''] = path.split('?', 1);
  // Part by part: one pattern for all of it would look for a digit from each character on, in quadratic time.
  const parts = plain.split('/').map((part) => (/\d/.test(part) ? '*' : part));
  return `${method} ${parts.join('/')}`;
}

/** Whether the upstream answers `Expect: 100-continue` at all: learned from what it does. */
class ContinueSupport {
  #seen: 'unknown' | 'some' | 'never' = 'unknown';

  /** Whether to ask: not one that has shown that it does not answer that. */
  get asked(): boolean {
    return this.#seen !== 'never';
  }

  /** What comes back after a restart may be another server. */
  forget(): void {
    this.#seen = 'unknown';
  }

  /** Learns from an attempt, if it asked. */
  learn(verdict: VerdictKind, evidence: Evidence): void {
    const { expectation, requestBody, head } = evidence;
    if (expectation === 'none') return;
    if (expectation === 'continued') this.#seen = 'some';
    else if (head?.status === 417) this.#seen = 'never';
    // Some say it only for what reads the body: one that was heard once may say it again.
    else if (this.#seen === 'unknown' && verdict === 'complete' && requestBody === 'whole')
      this.#seen = 'never';
  }
}
