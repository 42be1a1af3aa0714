/** Explains why an exchange failed, or what it was saved from: what was observed, the probable cause, and what would help. */

import type { Settings } from '../config/settings.ts';
import { targetUrl } from '../config/target.ts';
import type { ErrorCode } from '../errors.ts';
import { restartsIn } from '../upstream/absence.ts';
import type { ConnectFailed, Ending, EndingKind, Evidence } from '../upstream/evidence.ts';
import type { VerdictKind } from '../upstream/verdict.ts';
import { bodyState, notRetried } from './failure-phrases.ts';
import type { Failure } from './failure-phrases.ts';
import { connectFailureRow } from './connect-failures.ts';
import { failureRow } from './failures.ts';
import type { AttemptRecord } from './events.ts';
import { bytes, count, duration, grouped } from '../config/units.ts';

export interface ExplainInput extends Failure {
  readonly verdict: VerdictKind;
}

export interface Explanation {
  readonly code: ErrorCode;
  /** What happened, the probable cause, and what helps: at most 200 characters with usual numbers. Begins with "The upstream". */
  readonly sentence: string;
  /** What helps, as a sentence. */
  readonly remedy: string;
  /** Further sentences, where there is room for them; null: none. */
  readonly more: string | null;
  /** Bytes of the body that the upstream announced; null: it announced no length. */
  readonly expected: number | null;
  /** Bytes of the body that arrived. */
  readonly received: number;
  readonly end: 'FIN' | 'RST' | 'timeout' | 'parse-error' | 'limit' | null;
}

/**
 * Explains a failed exchange by the evidence of its last attempt. Total: a verdict that is not a failure gets a true
 * sentence with the code `internal_error`, because refusing such an exchange would be a bug of the proxy.
 */
export function explain(input: ExplainInput): Explanation {
  const { verdict, evidence } = input;
  const row = failureRow(verdict, evidence, input.target);
  const restarts = input.restarts ?? 0;
  const named = evidence.ending.kind === 'connect-failed' ? ` ${input.target}` : '';
  const cause = restarts > 0 ? RESTARTING : phrase(row.cause, input);
  const remedy = `${phrase(row.remedy, input)}.`;
  const more = [phrase(row.more ?? null, input), bodyState(input), notRetried(input)];
  return {
    code: row.code,
    sentence: `The upstream${named} ${row.happened(input)}${restartsPhrase(restarts)}${because(cause)}. ${remedy}`,
    remedy,
    more: more.filter((one) => one !== null).join(' ') || null,
    expected: evidence.framing?.kind === 'length' ? evidence.framing.length : null,
    received: evidence.bodyBytes,
    end: endedBy(evidence.ending),
  };
}

/** Explains why a server cannot be reached, with advice for a connection without the proxy. */
export function explainUnreachable(ending: ConnectFailed, target: string, connectTimeoutMs: number): string {
  const settings = { connectTimeoutMs, waitForUpstreamMs: 0 };
  const failure = { evidence: { ending }, attempts: 1, waitedMs: 0, settings };
  const { happened, advice, remedy, more } = connectFailureRow(ending, target);
  const further = phrase(more ?? null, failure);
  const help = `${advice ?? phrase(remedy, failure)}.`;
  return `${target} ${happened(failure)}. ${help}${further === null ? '' : ` ${further}`}`;
}

function phrase<Known, Said extends string | null>(
  said: Said | ((failure: Known) => Said),
  failure: Known,
): Said {
  return typeof said === 'function' ? said(failure) : said;
}

function because(cause: string | null): string {
  return cause === null ? '' : `: ${cause}`;
}

const RESTARTING = 'a reloader, or this request, probably restarted it';

/** The request was sent again after each restart, so the view may have acted as many times. */
function restartsPhrase(restarts: number): string {
  if (restarts === 0) return '';
  const times = restarts === 1 ? 'once' : `${grouped(restarts)} times`;
  return `, after it had restarted ${times} during this request`;
}

function endedBy(ending: Ending): Explanation['end'] {
  return ending.kind === 'connect-failed' && ending.timedOut ? 'timeout' : ENDS[ending.kind];
}

const ENDS: Readonly<Record<EndingKind, Explanation['end']>> = {
  'message-end': null,
  fin: 'FIN',
  rst: 'RST',
  timeout: 'timeout',
  'parse-error': 'parse-error',
  limit: 'limit',
  'connect-failed': null,
  'client-gone': null,
};

/**
 * What is worth noting about a response that is delivered: what the exchange was saved from, or what was odd about the response; null:
 * nothing.
 *
 * @param attempts the last one brought the whole response
 */
export function explainDelivered(
  attempts: readonly AttemptRecord[],
  waitedMs: number,
  settings: Settings,
): string | null {
  const saved = explainSaved(attempts, waitedMs, settings);
  const last = attempts.at(-1);
  if (saved !== null || last === undefined) return saved;
  if (last.verdict === 'unverifiable') return explainUnverifiable(last.evidence);
  return explainSurplus(last.evidence) ?? explainTrailers(last.evidence);
}

/** The note on a delivered body that ended with its connection (RFC 9112 section 8). */
export function explainUnverifiable(evidence: Evidence): string {
  const version = evidence.head?.minor === 0 ? ' over HTTP/1.0' : '';
  return (
    `The upstream responded${version} without a Content-Length and closed cleanly after ${bytes(evidence.bodyBytes)}: ` +
    `delivered, but nothing proves that it is complete. Send a Content-Length, or set --unverifiable refuse.`
  );
}

/** The note on bytes after the end of a response that was delivered; null: there were none. */
export function explainSurplus(evidence: Evidence): string | null {
  if (evidence.surplusBytes === 0) return null;
  return (
    `The upstream sent ${bytes(evidence.surplusBytes)} more than the ${announced(evidence)}: ` +
    `discarded (RFC 9112 section 6.3). Correct the length, or check what writes after the response.`
  );
}

/** Reported once for an upstream that sent bytes on a connection without a request, or after a complete response. */
export interface StrayBytesNotice {
  readonly sentence: string;
}

export function strayBytesNotice(target: string): StrayBytesNotice {
  return {
    sentence:
      `The upstream ${target} sent bytes that belong to no request: discarded. Its connections are no longer reused, ` +
      `until a reload or restart. Look for a handler that responds twice, or a body after HEAD.`,
  };
}

/** The note on trailer fields that were not passed on; null: there were none. */
export function explainTrailers(evidence: Evidence): string | null {
  const { trailerFields } = evidence;
  if (trailerFields === 0) return null;
  return (
    `The upstream sent ${count(trailerFields, 'trailer field')} after its last chunk: dropped, because a response ` +
    `with a Content-Length cannot carry trailers. Add the path to --stream if they are needed.`
  );
}

function announced({ framing, bodyBytes }: Evidence): string {
  if (framing?.kind === 'length') return `${bytes(framing.length)} it announced`;
  if (framing?.kind === 'chunked') return `${bytes(bodyBytes)} up to its last chunk`;
  return 'head of a response that has no body';
}

/**
 * What an exchange was saved from; null: the first attempt succeeded.
 *
 * @param attempts the last one got the complete response
 */
function explainSaved(
  attempts: readonly AttemptRecord[],
  waitedMs: number,
  settings: Settings,
): string | null {
  const restarts = restartsIn(attempts);
  if (restarts > 0) return explainRestarts(restarts, waitedMs);
  const last = attempts.at(-1);
  if (last?.reason === 'retry') {
    const before = attempts.at(-2);
    return before === undefined ? null : explainRetry(before, attempts.length, settings);
  }
  if (waitedMs === 0) return null;
  return `The upstream ${targetUrl(settings.target)} accepted no connections for ${duration(waitedMs)}; the request waited for it.`;
}

/** Says how often the view may have run: for example, a `breakpoint()` in it stops each time. */
function explainRestarts(restarts: number, waitedMs: number): string {
  const times = restarts === 1 ? 'once' : `${grouped(restarts)} times`;
  return (
    `The upstream restarted ${times} during this request (down for ${duration(waitedMs)}) and responded when it was ` +
    `retried: the view may have run ${grouped(restarts + 1)} times.`
  );
}

function explainRetry({ verdict, evidence }: AttemptRecord, attempts: number, settings: Settings): string {
  const target = targetUrl(settings.target);
  const { happened, cause, remedy } = failureRow(verdict, evidence, target);
  // The event is phrased as for a single attempt, and the remedy as after several.
  const failure: Failure = { evidence, attempts: 1, target, waitedMs: 0, settings };
  return (
    `Complete after ${attempts} attempts: the upstream first ${happened(failure)}${because(phrase(cause, failure))}. ` +
    `${phrase(remedy, { ...failure, attempts })}.`
  );
}
