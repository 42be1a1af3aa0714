/** What the sentence on a failed exchange is made of, and the shape of a row in the tables of sentences. */

import type { Settings } from '../config/settings.ts';
import type { ErrorCode } from '../errors.ts';
import type { Evidence } from '../upstream/evidence.ts';

export interface Failure {
  /** Of the last attempt. */
  readonly evidence: Evidence;
  /** Tries made, the last one included. */
  readonly attempts: number;
  /** How often the upstream went away under a try. Default: never. */
  readonly restarts?: number;
  /** Whether another try was made after it. Default: no. */
  readonly triedAgain?: boolean;
  /** The upstream's address, as a person would write it. */
  readonly target: string;
  readonly waitedMs: number;
  /** Usual ports of dev servers that answer on this machine instead. Default: none is known. */
  readonly answering?: readonly number[];
  readonly settings: Pick<
    Settings,
    | 'withholdBody'
    | 'bodyHoldMs'
    | 'retries'
    | 'waitForUpstreamMs'
    | 'connectTimeoutMs'
    | 'firstByteTimeoutMs'
    | 'bodyIdleTimeoutMs'
    | 'maxHeaderBytes'
    | 'maxResponseBodyBytes'
  >;
}

/** "The upstream … {happened}; {cause}: {remedy}." */
export interface FailureRow {
  readonly code: ErrorCode;
  readonly happened: (failure: Failure) => string;
  readonly cause: (failure: Failure) => string | null;
  readonly remedy: (failure: Failure) => string;
}
