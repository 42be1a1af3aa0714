/** What one try of a scenario observed on the wire: facts, and the verdict that they have everywhere else. */

import type { Evidence } from '../upstream/evidence.ts';
import type { VerdictKind } from '../upstream/verdict.ts';

/** How the server ended its side of the connection; `nobody`: it had not, when we stopped waiting. */
export type ClosedBy = 'fin' | 'rst' | 'nobody';

export interface SeenAnswer {
  readonly evidence: Evidence;
  readonly verdict: VerdictKind;
  /** From the request's first octet to the answer's; null: none came. */
  readonly firstByteMs: number | null;
  /** From the request's first octet until the answer was over, or could go no further. */
  readonly endedMs: number;
}

export interface Observation {
  readonly answer: SeenAnswer;
  /** Statuses of interim responses, in order. */
  readonly interim: readonly number[];
  readonly closed: { readonly by: ClosedBy; readonly afterMs: number };
  /**
   * Whether the server had taken our body when the connection ended. A reset behind it means that it had not: a kernel
   * resets what is closed with octets unread (RFC 2525 section 2.17).
   */
  readonly bodyRead: 'no-body' | 'not-sent' | 'read' | 'unread' | 'unknown';
  /** How much earlier the answer began than the last octet of our body was sent; null: it did not. */
  readonly headStartMs: number | null;
  readonly keepAlive: KeepAlive;
  /** The answer to the second request on the connection. */
  readonly again: SeenAnswer | null;
}

/**
 * - `honoured`: the connection carried a second answer
 * - `declined`: the server said that it would close
 * - `closed-early`: it closed a connection that it had not said it would close
 * - `unanswered`: it left the second request on an open connection
 */
export type KeepAlive = 'not-asked' | 'honoured' | 'declined' | 'closed-early' | 'unanswered';
