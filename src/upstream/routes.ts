/** What was learned about the upstream's routes: which of them answer without reading a request body. */

import type { Settings } from '../config/settings.ts';
import type { Evidence } from './evidence.ts';
import type { VerdictKind } from './verdict.ts';

/**
 * - `reads-body`: held its answer back until the body came, so it reads it
 * - `needs-hold`: answered before its body came, or was cut with a body under way
 */
type RouteHabit = 'reads-body' | 'needs-hold';

type HoldSettings = Pick<Settings, 'withholdBody' | 'bodyHoldMs' | 'bodyHoldMaxMs'>;

const MAX_ROUTES = 1000;

export class Routes {
  /** Least recently learned first. */
  readonly #habits = new Map<string, RouteHabit>();

  /**
   * How long to hold the body of this request back; 0: not at all. That an upstream keeps its connections alive is no
   * reason to send at once: Python's http.server does, until it takes an unread body for the next request and closes.
   */
  holdMs(method: string, path: string, settings: HoldSettings): number {
    const { withholdBody, bodyHoldMs, bodyHoldMaxMs } = settings;
    if (withholdBody === 'off') return 0;
    const habit = this.#habits.get(routeKey(method, path));
    if (habit === 'needs-hold') return bodyHoldMaxMs;
    return habit === 'reads-body' && withholdBody === 'auto' ? 0 : bodyHoldMs;
  }

  /** Learns from an attempt with a body that was to be held for `heldMs`. */
  learn(method: string, path: string, heldMs: number, verdict: VerdictKind, evidence: Evidence): void {
    const habit = habitShown(heldMs, verdict, evidence);
    if (habit === null) return;
    const key = routeKey(method, path);
    this.#habits.delete(key);
    this.#habits.set(key, habit);
    if (this.#habits.size > MAX_ROUTES) this.#forgetOldest();
  }

  #forgetOldest(): void {
    for (const key of this.#habits.keys()) {
      this.#habits.delete(key);
      return;
    }
  }
}

/** What an attempt with a body shows about its route; null: nothing. */
function habitShown(heldMs: number, verdict: VerdictKind, evidence: Evidence): RouteHabit | null {
  const { requestBody, ending } = evidence;
  const answered = verdict === 'complete' || verdict === 'unverifiable';
  if (answered && requestBody === 'withheld') return 'needs-hold';
  if (answered && heldMs > 0 && requestBody === 'whole') return 'reads-body';
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
