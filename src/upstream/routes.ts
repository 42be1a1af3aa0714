/** What was learned about the upstream's routes: which of them answer without reading a request body. */

import type { Settings } from '../config/settings.ts';
import type { Hold } from './attempt.ts';
import { Continues } from './continues.ts';
import { wasNeverTakenUp } from './evidence.ts';
import type { Evidence } from './evidence.ts';
import type { VerdictKind } from './verdict.ts';

/**
 * - `reads-body`: held its answer back until the body came, so it reads it
 * - `needs-hold`: answered before its body came, or was cut with a body under way
 */
type RouteHabit = 'reads-body' | 'needs-hold';

interface Learned {
  readonly habit: RouteHabit;
  /** No answer had come so far: what cut it may also have been a restart. */
  readonly beforeHead: boolean;
}

const AT_ONCE: Hold = { expectContinue: false, silentMs: 0, continuedMs: 0, answeringMs: 0 };

export type HoldSettings = Pick<Settings, 'withholdBody' | 'bodyHoldMs' | 'bodyHoldMaxMs'>;

const MAX_ROUTES = 1000;

export class Routes {
  readonly #continues = new Continues();
  /** Least recently learned first. */
  readonly #learned = new Map<string, Learned>();

  /** Whether the upstream says 100 (Continue) to a request as soon as it takes it up. */
  get saysContinue(): boolean {
    return this.#continues.said;
  }

  /** How to hold the body of this request back. */
  hold(method: string, path: string, settings: HoldSettings): Hold {
    const { withholdBody, bodyHoldMaxMs } = settings;
    if (withholdBody === 'off') return AT_ONCE;
    const holdMs = this.#holdMs(method, path, settings);
    const { asked, said } = this.#continues;
    return {
      expectContinue: asked,
      // One that says when it takes a request up is not waiting for the body while it is silent.
      silentMs: said && holdMs > 0 ? bodyHoldMaxMs : holdMs,
      continuedMs: holdMs,
      answeringMs: Math.max(holdMs, bodyHoldMaxMs),
    };
  }

  /** Learns from an attempt with a body that was to be held like this. */
  learn(method: string, path: string, hold: Hold, verdict: VerdictKind, evidence: Evidence): void {
    this.#continues.learn(verdict, evidence);
    const habit = habitShown(hold, verdict, evidence);
    if (habit === null || wasNeverTakenUp(evidence, this.saysContinue)) return;
    const key = routeKey(method, path);
    this.#learned.delete(key);
    this.#learned.set(key, { habit, beforeHead: evidence.head === null });
    if (this.#learned.size > MAX_ROUTES) this.#forgetOldest();
  }

  /** The upstream takes no connections: what was cut before its answer was cut by its end, and not because of its body. */
  upstreamIsAway(): void {
    this.#continues.forget();
    for (const [key, { beforeHead }] of this.#learned) {
      if (beforeHead) this.#learned.delete(key);
    }
  }

  /**
   * That an upstream keeps its connections alive is no reason to send at once: Python's http.server does, until it takes
   * an unread body for the next request and closes.
   */
  #holdMs(method: string, path: string, { withholdBody, bodyHoldMs, bodyHoldMaxMs }: HoldSettings): number {
    const habit = this.#learned.get(routeKey(method, path))?.habit;
    if (habit === 'needs-hold') return bodyHoldMaxMs;
    return habit === 'reads-body' && withholdBody === 'auto' ? 0 : bodyHoldMs;
  }

  #forgetOldest(): void {
    for (const key of this.#learned.keys()) {
      this.#learned.delete(key);
      return;
    }
  }
}

/** What an attempt with a body shows about its route; null: nothing. */
function habitShown(hold: Hold, verdict: VerdictKind, evidence: Evidence): RouteHabit | null {
  const { requestBody, ending } = evidence;
  const answered = verdict === 'complete' || verdict === 'unverifiable';
  if (answered && requestBody === 'withheld') return 'needs-hold';
  if (answered && hold.silentMs > 0 && requestBody === 'whole') return 'reads-body';
  const cut = ending === 'rst' || ending === 'fin';
  return !answered && cut && requestBody !== 'withheld' ? 'needs-hold' : null;
}

/**
 * The view, as far as an outsider can tell: the method and the path, without its query, and with `*` for each part that
 * holds a digit, since `/items/7` and `/items/8` are one view.
 */
function routeKey(method: string, path: string): string {
  const [plain = ''] = path.split('?', 1);
  return `${method} ${plain.replace(/[^/]*\d[^/]*/g, '*')}`;
}
