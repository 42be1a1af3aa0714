/** Decides what to do after an attempt: a pure function of its verdict, its evidence and the earlier attempts. */

import { mayBeUntouched, wasCut } from './evidence.ts';
import type { ConnectFailed, Evidence } from './evidence.ts';
import type { VerdictKind } from './verdict.ts';

export interface Circumstances {
  readonly verdict: VerdictKind;
  readonly evidence: Evidence;
  /** Whether a response that cannot be verified is refused (`--unverifiable refuse`). */
  readonly refusesUnverifiable: boolean;
  /** Whether the request may be sent again although the upstream may have acted on it (RFC 9110 section 9.2.2). */
  readonly repeatable: boolean;
  /** Whether this route sent 100 (Continue) the last time. */
  readonly saysContinue: boolean;
  /** Retries that are left. */
  readonly retriesLeft: number;
  /** Retries that were made. */
  readonly retriesMade: number;
  /** Whether the one retry that does not count, after a stale connection or a refused expectation, has been used. */
  readonly freeRetryUsed: boolean;
  /** Whether the previous attempt failed in exactly the same way, so that the next would too. */
  readonly failsAlike: boolean;
  /** How many times the upstream went away during an attempt. */
  readonly restarts: number;
  /** Number of waits since the upstream was last reachable. */
  readonly waits: number;
  /** Time left to wait for an upstream that accepts no connections. */
  readonly waitLeftMs: number;
  readonly retryBackoffMs: number;
}

export type Decision =
  | { readonly kind: 'deliver' }
  | { readonly kind: 'abandon' }
  | { readonly kind: 'refuse' }
  | {
      readonly kind: 'retry';
      readonly reason: 'retry' | 'stale-connection' | 'expectation-refused';
      readonly delayMs: number;
    }
  | { readonly kind: 'wait'; readonly delayMs: number }
  /** Check whether the upstream still accepts connections: only if not, a restart ended this attempt. */
  | { readonly kind: 'look' };

const REFUSE: Decision = { kind: 'refuse' };
const DELIVER: Decision = { kind: 'deliver' };
const ABANDON: Decision = { kind: 'abandon' };
const LOOK: Decision = { kind: 'look' };
const FREE_RETRY: Decision = { kind: 'retry', reason: 'stale-connection', delayMs: 0 };
const WITHOUT_EXPECTATION: Decision = { kind: 'retry', reason: 'expectation-refused', delayMs: 0 };

const FIRST_PROBE_MS = 50;
const LARGEST_PROBE_MS = 500;
/** An upstream that restarts this many times during one request does so because of that request. */
const MAX_RESTARTS = 10;

export function decide(circumstances: Circumstances): Decision {
  switch (circumstances.verdict) {
    case 'complete':
      if (refusesExpectation(circumstances)) return WITHOUT_EXPECTATION;
      return isIdleTimeout(circumstances) ? FREE_RETRY : DELIVER;
    case 'unverifiable':
      return circumstances.refusesUnverifiable ? REFUSE : DELIVER;
    case 'abandoned':
      return ABANDON;
    case 'over-limit':
      return REFUSE;
    case 'truncated':
    case 'malformed':
      return retry(circumstances);
    case 'no-response':
      return noResponse(circumstances);
  }
}

function noResponse(circumstances: Circumstances): Decision {
  const { ending } = circumstances.evidence;
  return ending.kind === 'connect-failed' ? wait(ending, circumstances) : retry(circumstances);
}

/** A 408 on a reused connection may have been sent to close it as idle, just as we used it (RFC 9110 section 15.5.9). */
function isIdleTimeout({ evidence, repeatable, freeRetryUsed }: Circumstances): boolean {
  return evidence.reusedConnection && evidence.head?.status === 408 && repeatable && !freeRetryUsed;
}

/** The upstream refuses expectations, and this one was ours: repeat the request without it (RFC 9110 section 10.1.1). */
function refusesExpectation({ evidence, freeRetryUsed }: Circumstances): boolean {
  const { head, expectation, requestBody } = evidence;
  const refused = expectation === 'unanswered' && head?.status === 417;
  return refused && requestBody === 'withheld' && !freeRetryUsed;
}

function retry(circumstances: Circumstances): Decision {
  const { evidence, repeatable, retriesLeft, retriesMade, freeRetryUsed, failsAlike, retryBackoffMs } =
    circumstances;
  // A retry would give a slow upstream more work, and make its client wait as long again.
  if (evidence.ending.kind === 'timeout' || failsAlike) return REFUSE;
  if (repeatable && isStale(circumstances) && !freeRetryUsed) return FREE_RETRY;
  if (repeatable && retriesLeft > 0)
    return { kind: 'retry', reason: 'retry', delayMs: retryBackoffMs * 2 ** retriesMade };
  return mayBeRestarting(circumstances) ? LOOK : REFUSE;
}

/**
 * Whether a restart would explain the failure, and the request may be sent again after it, which does not count as a retry.
 * A request that is not repeatable may have been acted on, unless the upstream had only its head when it went away.
 */
function mayBeRestarting({
  evidence,
  repeatable,
  saysContinue,
  restarts,
  waitLeftMs,
}: Circumstances): boolean {
  if (!wasCut(evidence) || restarts >= MAX_RESTARTS || waitLeftMs <= 0) return false;
  return repeatable || mayBeUntouched(evidence, saysContinue);
}

/**
 * Whether the upstream closed an idle connection just as it was reused, or sent surplus bytes after its previous response
 * (such as a body after HEAD): neither says anything about this request. See test/wire/peers-faults.test.ts.
 */
function isStale({ evidence, verdict }: Circumstances): boolean {
  const isLeftover = verdict === 'malformed' && evidence.head === null;
  const isSilence = evidence.headBytes + evidence.interimBytes === 0;
  return evidence.reusedConnection && (isSilence || isLeftover);
}

/** There was no connection, so nothing was sent, and a request with any method may wait and be sent later. */
function wait({ errorCode }: ConnectFailed, circumstances: Circumstances): Decision {
  const { restarts, waits, waitLeftMs } = circumstances;
  if (waitLeftMs <= 0 || restarts > MAX_RESTARTS || isLasting(errorCode)) return REFUSE;
  const probeMs = Math.min(FIRST_PROBE_MS * 2 ** waits, LARGEST_PROBE_MS);
  return { kind: 'wait', delayMs: Math.min(probeMs, waitLeftMs) };
}

/** On a busy machine, even an immediate refusal may take longer than the remaining wait. */
const SHORTEST_CONNECT_MS = 100;

/** How long a connect may take: not much longer than the remaining wait. @param waitLeftMs null: the request is not waiting */
export function connectLimitMs(connectTimeoutMs: number, waitLeftMs: number | null): number {
  if (waitLeftMs === null) return connectTimeoutMs;
  const leftMs = Math.max(SHORTEST_CONNECT_MS, Math.ceil(waitLeftMs));
  return connectTimeoutMs === 0 ? leftMs : Math.min(connectTimeoutMs, leftMs);
}

/** The system's codes for an upstream that is starting, restarting, or whose container has no address yet. */
const PASSING = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'ENOENT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ETIMEDOUT',
  'EAGAIN',
  'EPIPE',
]);

/** Whether waiting cannot resolve a failure, such as one of a certificate or a permission. */
export function isLasting(errorCode: string): boolean {
  return !PASSING.has(errorCode);
}
