/** What is observed of one try, and what it came to, in a word: a pure function. */

import type { EndingKind, Evidence } from '../upstream/evidence.ts';
import type { VerdictKind } from '../upstream/verdict.ts';

/** How the server ended its side of the connection; `nobody`: it had not, when we stopped waiting. */
export type ClosedBy = 'fin' | 'rst' | 'nobody';

export interface SeenAnswer {
  readonly evidence: Evidence;
  readonly verdict: VerdictKind;
  /** From the request's first byte to the response's; null: none came. */
  readonly firstByteMs: number | null;
  /** From the request's first byte until the response was over, or could go no further. */
  readonly endedMs: number;
}

export interface Observation {
  readonly answer: SeenAnswer;
  /** Statuses of interim responses, in order. */
  readonly interim: readonly number[];
  readonly closed: { readonly by: ClosedBy; readonly afterMs: number };
  /**
   * Whether the server had taken our body when the connection ended. A reset after it means that it had not: a kernel
   * resets what is closed with bytes unread (RFC 2525 section 2.17).
   */
  readonly bodyRead: 'no-body' | 'not-sent' | 'read' | 'unread' | 'unknown';
  /** How much earlier the response began than the last byte of our body was sent; null: it did not. */
  readonly headStartMs: number | null;
  readonly keepAlive: KeepAlive;
  /** The response to the second request on the connection. */
  readonly again: SeenAnswer | null;
}

/**
 * - `honoured`: the connection carried a second response
 * - `declined`: the server said that it would close
 * - `closed-early`: it closed a connection that it had not said it would close
 * - `unanswered`: it left the second request on an open connection
 */
export type KeepAlive = 'not-asked' | 'honoured' | 'declined' | 'closed-early' | 'unanswered';

/**
 * - `whole`: the response arrived and was in order
 * - `reset-behind`: it arrived, and the server reset the connection after it: luck, that nothing was lost
 * - `surplus`: it arrived, with bytes after it that belong to nothing
 * - `unproven`: it ended with the connection, in order: nothing can prove it whole (RFC 9112 section 8)
 * - `cut-reset`, `cut-closed`, `stalled`: a part of it arrived, then RST, FIN, or nothing more
 * - `reset`, `closed`, `silent`: none of it arrived
 * - `not-http`: what arrived is no response
 * - `endless`: it went on after the limits of size or time
 * - `unreachable`: no connection
 * - `given-up`: we ended it, because the time for all tries was over
 */
export type Outcome =
  | 'whole'
  | 'reset-behind'
  | 'surplus'
  | 'unproven'
  | 'cut-reset'
  | 'cut-closed'
  | 'stalled'
  | 'reset'
  | 'closed'
  | 'silent'
  | 'not-http'
  | 'endless'
  | 'unreachable'
  | 'given-up';

export const OUTCOMES: readonly Outcome[] = [
  'whole',
  'reset-behind',
  'surplus',
  'unproven',
  'cut-reset',
  'cut-closed',
  'stalled',
  'reset',
  'closed',
  'silent',
  'not-http',
  'endless',
  'unreachable',
  'given-up',
];

export function outcomeOf({ answer, closed }: Observation): Outcome {
  const { verdict, evidence } = answer;
  switch (verdict) {
    case 'complete':
      if (evidence.surplusBytes > 0) return 'surplus';
      return closed.by === 'rst' ? 'reset-behind' : 'whole';
    case 'unverifiable':
      return 'unproven';
    case 'truncated':
      return CUTS[evidence.ending.kind] ?? 'cut-closed';
    case 'no-response':
      return UNANSWERED[evidence.ending.kind] ?? 'closed';
    case 'malformed':
      return 'not-http';
    case 'over-limit':
      return evidence.ending.kind === 'limit' && evidence.ending.limit === 'head' ? 'not-http' : 'endless';
    case 'abandoned':
      return 'given-up';
  }
}

/** Of responses that began; any other ending is an orderly close. */
const CUTS: Readonly<Partial<Record<EndingKind, Outcome>>> = {
  rst: 'cut-reset',
  timeout: 'stalled',
  'parse-error': 'not-http',
};

/** Of requests that got no byte. */
const UNANSWERED: Readonly<Partial<Record<EndingKind, Outcome>>> = {
  'connect-failed': 'unreachable',
  rst: 'reset',
  timeout: 'silent',
};

/** Whether the client has all that the server announced, and can know it or has no reason to doubt it. */
export function isWhole(outcome: Outcome): boolean {
  return outcome === 'whole' || outcome === 'reset-behind' || outcome === 'surplus' || outcome === 'unproven';
}

/** Whether the connection was reset by the server. */
export function isReset(outcome: Outcome): boolean {
  return outcome === 'reset-behind' || outcome === 'cut-reset' || outcome === 'reset';
}
