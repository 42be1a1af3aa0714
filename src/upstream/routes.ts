/** What was learned about the upstream: whether it closes, and which routes answer without reading a body. */

import type { Settings } from '../config/settings.ts';
import { keepsAlive, saysClose } from '../http/framing.ts';
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
  /** Least recently used first. */
  readonly #habits = new Map<string, RouteHabit>();
  /** Null until the upstream has answered once; true for good when it has closed once. */
  #upstreamCloses: boolean | null = null;

  /** How long to hold the body of this request back; 0: not at all. */
  holdMs(method: string, path: string, settings: HoldSettings): number {
    if (settings.withholdBody === 'off') return 0;
    const habit = this.#habits.get(routeKey(method, path));
    if (habit === 'needs-hold') return settings.bodyHoldMaxMs;
    if (settings.withholdBody === 'always') return settings.bodyHoldMs;
    if (habit === 'reads-body' || this.#upstreamCloses === false) return 0;
    return settings.bodyHoldMs;
  }

  /** Learns from an attempt. `heldMs` is how long the body was to be held; null: the request had none. */
  learn(method: string, path: string, heldMs: number | null, verdict: VerdictKind, evidence: Evidence): void {
    this.#learnClosing(evidence);
    if (heldMs === null) return;
    const habit = habitShown(heldMs, verdict, evidence);
    if (habit === null) return;
    const key = routeKey(method, path);
    this.#habits.delete(key);
    this.#habits.set(key, habit);
    if (this.#habits.size > MAX_ROUTES) this.#forgetOldest();
  }

  #learnClosing(evidence: Evidence): void {
    const { head, framing } = evidence;
    if (head === null || framing === null) return;
    if (saysClose(head) || framing.kind === 'close') this.#upstreamCloses = true;
    else if (keepsAlive(head, framing)) this.#upstreamCloses ??= false;
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
  const answered = verdict === 'complete' || verdict === 'unverifiable';
  if (answered && evidence.requestBody === 'withheld') return 'needs-hold';
  if (answered && heldMs > 0 && evidence.requestBody === 'whole') return 'reads-body';
  const cut = evidence.ending === 'rst' || evidence.ending === 'fin';
  if (!answered && cut && evidence.requestBody !== 'withheld') return 'needs-hold';
  return null;
}

/** Method and path without the query: the view, as far as an outsider can tell. */
function routeKey(method: string, path: string): string {
  const query = path.indexOf('?');
  return `${method} ${query < 0 ? path : path.slice(0, query)}`;
}
