/** What can be watched of an exchange. Watchers see records; they can change nothing. */

import type { ErrorCode } from '../errors.ts';
import type { Evidence } from '../upstream/evidence.ts';
import type { VerdictKind } from '../upstream/verdict.ts';

/**
 * How an exchange ended, seen from the client.
 *
 * - `delivered`: a buffered response, proven whole (or unverifiable), was written to the last byte
 * - `relayed`: a response that must stream was passed on to its end
 * - `upgraded`: the connection was switched to another protocol
 * - `refused`: the answer was one of ours (see `error`)
 * - `cut`: a response under way had to be broken off, visibly (a stream that the upstream cut)
 * - `abandoned`: the client left first
 */
export type Outcome = 'delivered' | 'relayed' | 'upgraded' | 'refused' | 'cut' | 'abandoned';

/** One try to get the response from the upstream. Times are ms since the exchange began, from a monotonic clock. */
export interface AttemptRecord {
  readonly startedMs: number;
  readonly endedMs: number;
  readonly verdict: VerdictKind;
  readonly evidence: Evidence;
  /** Why it was made: the first try, or what the try before it had met. */
  readonly reason: 'first' | 'retry' | 'stale-connection' | 'waited';
}

/** Everything that is known of one exchange when it is over. */
export interface ExchangeRecord {
  /** Unique in this process. */
  readonly id: string;
  /** Wall-clock start, ms since the epoch. */
  readonly startedAt: number;
  readonly durationMs: number;
  readonly clientAddress: string;
  readonly method: string;
  /** The request target as received (path and query). May hold secrets: redact before it is shown. */
  readonly url: string;
  readonly httpVersion: string;
  /** Flat [name, value, …], as received. May hold secrets: redact before they are shown. */
  readonly requestFields: readonly string[];
  readonly requestBodyBytes: number;
  /** The status that the client was sent; 0 when none was. */
  readonly status: number;
  /** Octets of the response body that were written to the client. */
  readonly responseBytes: number;
  readonly attempts: readonly AttemptRecord[];
  /** Time spent waiting for an upstream that refused connections, in ms. */
  readonly waitedMs: number;
  /** The verdict on the last attempt; null when the upstream was never asked. */
  readonly verdict: VerdictKind | null;
  readonly outcome: Outcome;
  /** What went wrong; null when the exchange was delivered. */
  readonly error: ErrorCode | null;
  /** One sentence: what happened and what would help. Null when all went well and nothing is worth saying. */
  readonly sentence: string | null;
}
