/** What to do after an attempt: a pure function of its verdict, its evidence and what has been tried before. */

import { mayBeUntouched, wasCut } from './evidence.ts';
import type { ConnectFailed, Evidence } from './evidence.ts';
import type { VerdictKind } from './verdict.ts';

export interface Circumstances {
  readonly verdict: VerdictKind;
  readonly evidence: Evidence;
  /** Whether a response that nothing proves whole is refused (`--unverifiable refuse`). */
  readonly refusesUnverifiable: boolean;
  /** The request may be sent again although the upstream may have acted on it (RFC 9110 section 9.2.2). */
  readonly repeatable: boolean;
  /** Whether this route said 100 (Continue) when it was asked last. */
  readonly saysContinue: boolean;
  /** Further tries that are left. */
  readonly retriesLeft: number;
  /** Further tries that were made. */
  readonly retriesMade: number;
  /** Whether a connection that went stale, or a refused expectation of our own, has already been tried again for nothing. */
  readonly freeRetryUsed: boolean;
  /** Whether the try before failed in the very same way, so that the next would too. */
  readonly failsAlike: boolean;
  /** How often the upstream went away under a try. */
  readonly restarts: number;
  /** How often it was found that the upstream takes no connections. */
  readonly waits: number;
  /** Time left to wait for an upstream that takes no connections. */
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
  /** See whether the upstream still takes connections: only if not, was it a restart that ended this try. */
  | { readonly kind: 'look' };

const REFUSE: Decision = { kind: 'refuse' };
const DELIVER: Decision = { kind: 'deliver' };
const ABANDON: Decision = { kind: 'abandon' };
const LOOK: Decision = { kind: 'look' };
const FREE_RETRY: Decision = { kind: 'retry', reason: 'stale-connection', delayMs: 0 };
const WITHOUT_EXPECTATION: Decision = { kind: 'retry', reason: 'expectation-refused', delayMs: 0 };

const FIRST_PROBE_MS = 50;
const LARGEST_PROBE_MS = 500;
/** An upstream that goes away so often under one request does it because of that request. */
const MAX_RESTARTS = 10;

export function decide(circumstances: Circumstances): Decision {
  switch (circumstances.verdict) {
    case 'complete':
      if (isUnexpected(circumstances)) return WITHOUT_EXPECTATION;
      return isGoodbye(circumstances) ? FREE_RETRY : DELIVER;
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

/** A 408 on a used connection may be the upstream's goodbye to an idle one, sent as we used it (RFC 9110 section 15.5.9). */
function isGoodbye({ evidence, repeatable, freeRetryUsed }: Circumstances): boolean {
  return evidence.reusedConnection && evidence.head?.status === 408 && repeatable && !freeRetryUsed;
}

/** It cannot answer an expectation, and that was ours: to be repeated without one (RFC 9110 section 10.1.1). */
function isUnexpected({ evidence, freeRetryUsed }: Circumstances): boolean {
  const { head, expectation, requestBody } = evidence;
  const refused = expectation === 'unanswered' && head?.status === 417;
  return refused && requestBody === 'withheld' && !freeRetryUsed;
}

function retry(circumstances: Circumstances): Decision {
  const { evidence, repeatable, retriesLeft, retriesMade, freeRetryUsed, failsAlike, retryBackoffMs } =
    circumstances;
  // A slow upstream is not helped by more work, nor its client by waiting as long again.
  if (evidence.ending.kind === 'timeout' || failsAlike) return REFUSE;
  if (repeatable && isStale(circumstances) && !freeRetryUsed) return FREE_RETRY;
  if (repeatable && retriesLeft > 0)
    return { kind: 'retry', reason: 'retry', delayMs: retryBackoffMs * 2 ** retriesMade };
  return mayBeRestarting(circumstances) ? LOOK : REFUSE;
}

/**
 * Whether a restart would explain it, and the request might be sent to what comes back: it costs no try then. What must not be repeated
 * may have been acted on, unless the upstream had its head alone and went away with it.
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
 * The upstream closed an idle connection just as we used it, or sent us what was too much behind its last answer (a body
 * after the response to HEAD): that says nothing about this request. See test/wire/peers-faults.test.ts.
 */
function isStale({ evidence, verdict }: Circumstances): boolean {
  const isLeftover = verdict === 'malformed' && evidence.head === null;
  const isSilence = evidence.headBytes + evidence.interimBytes === 0;
  return evidence.reusedConnection && (isSilence || isLeftover);
}

/** Nothing was sent on this connection, so any method may wait and try again. */
function wait({ errorCode }: ConnectFailed, circumstances: Circumstances): Decision {
  const { restarts, waits, waitLeftMs } = circumstances;
  if (waitLeftMs <= 0 || restarts > MAX_RESTARTS || isLasting(errorCode)) return REFUSE;
  const probeMs = Math.min(FIRST_PROBE_MS * 2 ** waits, LARGEST_PROBE_MS);
  return { kind: 'wait', delayMs: Math.min(probeMs, waitLeftMs) };
}

/** On a busy machine a refusal that came at once is seen later than that. */
const SHORTEST_CONNECT_MS = 100;

/** How long a connect may take: not much longer than the wait that it is part of. @param waitLeftMs null: it is part of none */
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

/** A failure that waiting does not cure, such as a certificate or a permission. */
export function isLasting(errorCode: string): boolean {
  return !PASSING.has(errorCode);
}
