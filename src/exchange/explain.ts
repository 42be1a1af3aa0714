/** Says in one sentence why an exchange failed, or from what it was saved: what was seen, the likely cause, what would help. */

import type { Settings } from '../config/settings.ts';
import { targetUrl } from '../config/target.ts';
import type { ErrorCode } from '../errors.ts';
import type { ConnectFailed, Ending, EndingKind, Evidence } from '../upstream/evidence.ts';
import type { VerdictKind } from '../upstream/verdict.ts';
import { PROVABLE } from './failure-phrases.ts';
import type { Failure, Phrase } from './failure-phrases.ts';
import { connectFailureRow } from './connect-failures.ts';
import { failureRow } from './failures.ts';
import { restartsIn } from './absences.ts';
import type { AttemptRecord } from './events.ts';
import { bytes, count, duration, grouped } from '../config/units.ts';

export interface ExplainInput extends Failure {
  readonly verdict: VerdictKind;
}

export interface Explanation {
  readonly code: ErrorCode;
  /** What happened, why most likely, and what helps; begins with "The upstream", ends with a full stop. */
  readonly sentence: string;
  /** The last part of it alone: what helps, as a sentence. */
  readonly remedy: string;
  /** Bytes of the body that the upstream announced; null: it announced no length. */
  readonly expected: number | null;
  /** Bytes of the body that arrived. */
  readonly received: number;
  readonly end: 'FIN' | 'RST' | 'timeout' | 'parse-error' | 'limit' | null;
}

/**
 * Explains a failed exchange by the evidence of its last attempt. Total: a verdict that is no failure gets a true
 * sentence too, with the code `internal_error`, because refusing such an exchange would be a fault of our own.
 */
export function explain(input: ExplainInput): Explanation {
  const { verdict, evidence } = input;
  const { code, happened, cause, remedy } = failureRow(verdict, evidence, input.target);
  const restarts = input.restarts ?? 0;
  const why = restarts > 0 ? RESTARTING : phrase(cause, input);
  const help = phrase(remedy, input);
  return {
    code,
    sentence: `The upstream ${input.target} ${happened(input)}${restartsPhrase(restarts)}${why === null ? '' : `; ${why}`}: ${help}.`,
    remedy: `${capital(help)}.`,
    expected: evidence.framing?.kind === 'length' ? evidence.framing.length : null,
    received: evidence.bodyBytes,
    end: endedBy(evidence.ending),
  };
}

/** Why a server could not be reached by whoever connects without the proxy, and what helps. */
export function explainUnreachable(ending: ConnectFailed, target: string, connectTimeoutMs: number): string {
  const settings = { connectTimeoutMs, waitForUpstreamMs: 0 };
  const failure = { evidence: { ending }, attempts: 1, waitedMs: 0, settings };
  const { happened, advice, remedy } = connectFailureRow(ending, target);
  return `${target} ${happened(failure)}. ${capital(advice ?? phrase(remedy, failure))}.`;
}

function phrase<Known, Said extends Phrase<Known> | null>(
  said: Said,
  failure: Known,
): string | Extract<Said, null>;
function phrase<Known>(said: Phrase<Known> | null, failure: Known): string | null {
  return typeof said === 'function' ? said(failure) : said;
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

const RESTARTING =
  'it was most likely restarted while it was at work on the request, by a reloader or because of it';

/** The request was sent once more for each, so whatever the view does it may have done as often. */
function restartsPhrase(restarts: number): string {
  if (restarts === 0) return '';
  const times = restarts === 1 ? 'once' : `${grouped(restarts)} times`;
  return `, after it had gone away ${times} under this request`;
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

/** The note on a delivered body that ended with its connection (RFC 9112 section 8). */
export function explainUnverifiable(evidence: Evidence): string {
  const version = evidence.head?.minor === 0 ? ' over HTTP/1.0' : '';
  return (
    `The upstream answered${version} without a Content-Length and closed cleanly after ${bytes(evidence.bodyBytes)}: ` +
    `delivered, but nothing can prove that it is whole, and a view that raised midway ends in the same way; ` +
    `${PROVABLE}, or set --unverifiable refuse.`
  );
}

/** The note on bytes after the end of a response that was delivered; null: there were none. */
export function explainSurplus(evidence: Evidence): string | null {
  if (evidence.surplusBytes === 0) return null;
  return (
    `The upstream sent ${bytes(evidence.surplusBytes)} more than the ${announced(evidence)}: ` +
    `they were thrown away (RFC 9112 section 6.3); correct the length, or look what writes after the response.`
  );
}

/** What is told once of an upstream that sent bytes on a connection on which nothing was asked, or after a whole response. */
export interface StrayBytesNotice {
  readonly sentence: string;
}

export function strayBytesNotice(target: string): StrayBytesNotice {
  return {
    sentence:
      `The upstream ${target} sent bytes that no request had asked for, such as a second response: they were thrown away, ` +
      `and each request goes out on a connection of its own from now on, until a reload or a restart of lastbyte; ` +
      `look for a handler that responds twice, or for a body after the response to HEAD.`,
  };
}

/** The note on trailer fields that were not passed on; null: there were none. */
export function explainTrailers(evidence: Evidence): string | null {
  const { trailerFields } = evidence;
  if (trailerFields === 0) return null;
  return (
    `The upstream sent ${count(trailerFields, 'trailer field')} after its last chunk: dropped, because a response ` +
    `with a Content-Length has no place for them; name the path with --stream if they are needed.`
  );
}

function announced({ framing, bodyBytes }: Evidence): string {
  if (framing?.kind === 'length') return `${bytes(framing.length)} that it had announced`;
  if (framing?.kind === 'chunked') return `${bytes(bodyBytes)} up to its last chunk`;
  return 'head of a response that has no body';
}

/**
 * From what an exchange was saved; null: it went well at once.
 *
 * @param attempts the last one brought the whole response
 */
export function explainSaved(
  attempts: readonly AttemptRecord[],
  waitedMs: number,
  settings: Settings,
): string | null {
  const restarts = restartsIn(attempts);
  if (restarts > 0) return explainRestarts(restarts, waitedMs, settings);
  const last = attempts.at(-1);
  if (last?.reason === 'retry') {
    const before = attempts.at(-2);
    return before === undefined ? null : explainRetry(before, attempts.length, settings);
  }
  if (waitedMs === 0) return null;
  return `The upstream ${targetUrl(settings.target)} took no connections for ${duration(waitedMs)}: the request waited, and was answered.`;
}

/** Whoever has a `breakpoint()` in the view meets it once for each. */
function explainRestarts(restarts: number, waitedMs: number, settings: Settings): string {
  const times = restarts === 1 ? 'once' : `${grouped(restarts)} times`;
  return (
    `The upstream ${targetUrl(settings.target)} went away ${times} while it had this request, took no connections for ` +
    `${duration(waitedMs)} in all, and answered when it was asked again: the view may have run ${grouped(restarts + 1)} times.`
  );
}

function explainRetry({ verdict, evidence }: AttemptRecord, attempts: number, settings: Settings): string {
  const target = targetUrl(settings.target);
  const { happened, cause, remedy } = failureRow(verdict, evidence, target);
  // What happened is told as if that try had been the only one; the remedy, as it is after another.
  const failure: Failure = { evidence, attempts: 1, target, waitedMs: 0, settings };
  const why = phrase(cause, failure);
  const help = phrase(remedy, { ...failure, attempts });
  return (
    `The upstream ${target} ${happened(failure)}, but answered whole when it was asked again ` +
    `(${attempts} tries)${why === null ? '' : `; ${why}`}: ${help}.`
  );
}
