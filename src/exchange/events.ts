/** The events and records of an exchange. They are read-only: listeners cannot change the exchange. */

import type { ErrorCode } from '../errors.ts';
import type { BodyPreview } from '../spool/body-preview.ts';
import type { AttemptTimes } from '../upstream/timings.ts';
import type { Evidence } from '../upstream/evidence.ts';
import type { VerdictKind } from '../upstream/verdict.ts';

/**
 * How an exchange ended, seen from the client.
 *
 * - `delivered`: a buffered response, complete (or unverifiable), was written to the last byte
 * - `relayed`: a response that must stream was relayed to its end
 * - `upgraded`: the connection was switched to another protocol
 * - `refused`: the proxy sent its own response (see `error`)
 * - `cut`: a response was aborted after its head, visibly to the client (such as a stream that the upstream cut)
 * - `abandoned`: the client left first
 */
export type Outcome = 'delivered' | 'relayed' | 'upgraded' | 'refused' | 'cut' | 'abandoned';

/** One attempt to get the response from the upstream. Times are ms since the exchange began, from a monotonic clock. */
export interface AttemptRecord {
  readonly startedMs: number;
  readonly endedMs: number;
  readonly verdict: VerdictKind;
  readonly evidence: Evidence;
  /** Why it was made: the first attempt, or how the previous one ended. */
  readonly reason: 'first' | 'retry' | 'stale-connection' | 'expectation-refused' | 'waited';
  /** Null: there was no listener, or there were too many exchanges at once. */
  readonly notes: AttemptTimes | null;
}

/** An exchange begins: the head of its request has arrived. */
export interface ExchangeBegun {
  readonly id: string;
  /** Wall-clock start, ms since the epoch. */
  readonly startedAt: number;
  readonly clientAddress: string;
  /** Null: not TCP, or the client has left. */
  readonly clientPort: number | null;
  readonly method: string;
  /** May hold secrets, as in the record. */
  readonly url: string;
  readonly httpVersion: string;
  /** May hold secrets, as in the record. */
  readonly requestFields: readonly string[];
}

/** The client's connection has closed, and the exchange was the last on it. Times are ms since the exchange began. */
export interface ExchangeClosed {
  readonly id: string;
  readonly clientFinMs: number | null;
  readonly ourFinMs: number | null;
  readonly closedMs: number;
  /** Whether it was not closed cleanly, but reset or cut off by the proxy. */
  readonly reset: boolean;
}

/** A pause because the upstream took no connections. */
export interface Wait {
  readonly startMs: number;
  readonly endMs: number;
}

/** Details that are recorded only for listeners of `begun`. Times are ms since the exchange began; null: not reached. */
export interface ExchangeNotes {
  /** The whole request body has arrived. */
  readonly requestWholeMs: number | null;
  readonly waits: readonly Wait[];
  /** The proxy began to write the response. */
  readonly deliveryMs: number | null;
  /** The kernel has its last byte. */
  readonly writtenMs: number | null;
  /** Whether the response left the client's connection open. */
  readonly keptAlive: boolean;
  /** May hold secrets. Null: there was no body, or it was forwarded as it arrived. */
  readonly requestBody: BodyPreview | null;
  readonly responseReason: string;
  /** The fields that the client was sent, without those of the connection. May hold secrets. */
  readonly responseFields: readonly string[];
  /** The body of the proxy's own response; null: the response, if any, was the upstream's. */
  readonly answerBody: BodyPreview | null;
}

/** Everything that is known about one exchange when it has ended. */
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
  /** Bytes of the response body that were written to the client. */
  readonly responseBytes: number;
  readonly attempts: readonly AttemptRecord[];
  /** Time spent waiting for an upstream that refused connections, in ms. */
  readonly waitedMs: number;
  /** The verdict on the last attempt; null: there was no attempt. */
  readonly verdict: VerdictKind | null;
  readonly outcome: Outcome;
  /** What went wrong; null when the exchange was delivered. */
  readonly error: ErrorCode | null;
  /** One sentence: what happened and what would help. Null: nothing to report. */
  readonly sentence: string | null;
  /** Null: there was no listener, or there were too many exchanges at once. */
  readonly notes: ExchangeNotes | null;
}
