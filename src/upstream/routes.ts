/** Remembers the upstream's routes: which respond without reading the request body, and which send 100 (Continue). */

import type { Settings } from '../config/settings.ts';
import type { Hold } from './request-sender.ts';
import { mayBeUntouched } from './evidence.ts';
import type { Evidence } from './evidence.ts';
import type { VerdictKind } from './verdict.ts';

/**
 * - `reads-body`: responded only after the body, so it reads the body
 * - `needs-hold`: responded before the body, or was cut while the body was being sent
 */
type RouteHabit = 'reads-body' | 'needs-hold';

interface Learned {
  readonly habit: RouteHabit;
  /** No response head had arrived: the cut may also have been a restart. */
  readonly beforeHead: boolean;
  /** Whether it sent 100 (Continue). */
  readonly saysContinue: boolean;
}

/** The body is not withheld. */
export const AT_ONCE: Hold = {
  expectContinue: false,
  silentMs: 0,
  continuedMs: 0,
  respondingMs: 0,
  saysContinue: false,
};

export type HoldSettings = Pick<Settings, 'withholdBody' | 'bodyHoldMs' | 'bodyHoldMaxMs'>;

const MAX_ROUTES = 1000;

export class Routes {
  readonly #continueSupport = new ContinueSupport();
  /** The least recently updated first. */
  readonly #learned = new Map<string, Learned>();

  /** How long to withhold the body of this request. */
  hold(method: string, path: string, settings: HoldSettings): Hold {
    const { withholdBody, bodyHoldMaxMs } = settings;
    if (withholdBody === 'off') return AT_ONCE;
    const learned = this.#learned.get(routeKey(method, path));
    const holdMs = habitualHoldMs(learned?.habit ?? null, settings);
    const saysContinue = learned?.saysContinue === true;
    return {
      expectContinue: this.#continueSupport.asked,
      // A route that sends 100 (Continue) has not started on the request while it is silent, so it does not need the body yet.
      silentMs: saysContinue && holdMs > 0 ? bodyHoldMaxMs : holdMs,
      continuedMs: holdMs,
      respondingMs: Math.max(holdMs, bodyHoldMaxMs),
      saysContinue,
    };
  }

  /** Updates the route from an attempt whose body had this hold. */
  learn(method: string, path: string, hold: Hold, verdict: VerdictKind, evidence: Evidence): void {
    this.#continueSupport.learn(verdict, evidence);
    const key = routeKey(method, path);
    const known = isDeliverable(verdict) ? (this.#learned.get(key)?.habit ?? null) : null;
    const habit = observedHabit(hold, verdict, evidence) ?? known;
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
   * The upstream accepts no connections: attempts that were cut before their response were cut by its exit, not because of
   * their body. After a restart it may be another server, so its support of 100 (Continue) is unknown again.
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
 * A body is withheld even if the upstream keeps connections alive: Python's http.server does, but parses an unread body as
 * the next request and closes.
 */
function habitualHoldMs(
  habit: RouteHabit | null,
  { withholdBody, bodyHoldMs, bodyHoldMaxMs }: HoldSettings,
): number {
  if (habit === 'needs-hold') return bodyHoldMaxMs;
  return habit === 'reads-body' && withholdBody === 'auto' ? 0 : bodyHoldMs;
}

function isDeliverable(verdict: VerdictKind): boolean {
  return verdict === 'complete' || verdict === 'unverifiable';
}

/** What an attempt with a body shows about its route; null: nothing. */
function observedHabit(hold: Hold, verdict: VerdictKind, evidence: Evidence): RouteHabit | null {
  const { requestBody, ending } = evidence;
  const responded = isDeliverable(verdict);
  if (responded && requestBody === 'withheld') return 'needs-hold';
  if (responded && hold.silentMs > 0 && requestBody === 'whole') return 'reads-body';
  // An unread body causes a reset; a clean close has another cause, such as a restart.
  return !responded && ending.kind === 'rst' && requestBody !== 'withheld' ? 'needs-hold' : null;
}

/**
 * Approximates the view: the method and the path, without the query, and with `*` for each segment that has a digit, since
 * `/items/7` and `/items/8` are probably one view.
 */
function routeKey(method: string, path: string): string {
  const [plain = ''] = path.split('?', 1);
  // Segment by segment: one pattern for the whole path would take quadratic time.
  const parts = plain.split('/').map((part) => (/\d/.test(part) ? '*' : part));
  return `${method} ${parts.join('/')}`;
}

/** Whether the upstream supports `Expect: 100-continue`, from what it did before. */
class ContinueSupport {
  #seen: 'unknown' | 'some' | 'never' = 'unknown';

  /** Whether to send the expectation: not if the upstream has ignored or refused it. */
  get asked(): boolean {
    return this.#seen !== 'never';
  }

  /** After a restart, the upstream may be another server. */
  forget(): void {
    this.#seen = 'unknown';
  }

  /** Updates from an attempt, if that sent the expectation. */
  learn(verdict: VerdictKind, evidence: Evidence): void {
    const { expectation, requestBody, head } = evidence;
    if (expectation === 'none') return;
    if (expectation === 'continued') this.#seen = 'some';
    else if (head?.status === 417) this.#seen = 'never';
    // Some servers send 100 only where the view reads the body, so one that has sent it once is asked again.
    else if (this.#seen === 'unknown' && verdict === 'complete' && requestBody === 'whole')
      this.#seen = 'never';
  }
}
