/** Says in one sentence why an exchange failed: what was seen, with numbers, the likely cause, and what would help. */

import type { ErrorCode } from '../errors.ts';
import type { Ending, Evidence } from '../upstream/evidence.ts';
import type { VerdictKind } from '../upstream/verdict.ts';
import { failureCase } from './failure-case.ts';
import type { Failure } from './failure.ts';
import { PROVABLE } from './failure-phrases.ts';
import { FAILURES } from './failures.ts';
import { bytes, count, grouped } from './quantities.ts';

export interface ExplainInput extends Failure {
  readonly verdict: VerdictKind;
}

export interface Explanation {
  readonly code: ErrorCode;
  /** What happened, why most likely, and what helps; begins with "The upstream", ends with a full stop. */
  readonly sentence: string;
  /** The last part of it alone: what helps, as a sentence. */
  readonly remedy: string;
  /** Octets of the body that the upstream announced; null: it announced no length. */
  readonly expected: number | null;
  /** Octets of the body that arrived. */
  readonly received: number;
  readonly end: 'FIN' | 'RST' | 'timeout' | 'parse-error' | 'limit' | null;
}

/**
 * Explains a failed exchange by the evidence of its last attempt. Total: a verdict that is no failure gets a true
 * sentence too, with the code `internal_error`, because refusing such an exchange would be a fault of ours.
 */
export function explain(input: ExplainInput): Explanation {
  const { verdict, evidence } = input;
  const { code, happened, cause, remedy } = FAILURES[failureCase(verdict, evidence, input.target)];
  const restarts = input.restarts ?? 0;
  const why = restarts > 0 ? RESTARTING : cause(input);
  const help = remedy(input);
  return {
    code,
    sentence: `The upstream ${input.target} ${happened(input)}${restartsPhrase(restarts)}${why === null ? '' : `; ${why}`}: ${help}.`,
    remedy: `${help.charAt(0).toUpperCase()}${help.slice(1)}.`,
    expected: evidence.framing?.kind === 'length' ? evidence.framing.length : null,
    received: evidence.bodyBytes,
    end: evidence.timeout === 'connect' ? 'timeout' : ENDS[evidence.ending],
  };
}

const RESTARTING =
  'it was most likely restarted while it was at work on the request, by a reloader or because of it';

/** The request was sent once more for each, so whatever the view does it may have done as often. */
function restartsPhrase(restarts: number): string {
  if (restarts === 0) return '';
  const times = restarts === 1 ? 'once' : `${grouped(restarts)} times`;
  return `, after it had gone away ${times} under this request`;
}

const ENDS: Readonly<Record<Ending, Explanation['end']>> = {
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

/** The note on octets behind the end of a response that was delivered; null: there were none. */
export function explainSurplus(evidence: Evidence): string | null {
  if (evidence.surplusBytes === 0) return null;
  return (
    `The upstream sent ${bytes(evidence.surplusBytes)} more than the ${announced(evidence)}: ` +
    `they were thrown away (RFC 9112 section 6.3); correct the length, or look what writes behind the answer.`
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
    `The upstream sent ${count(trailerFields, 'trailer field')} behind its last chunk: dropped, because an answer ` +
    `with a Content-Length has no place for them; name the path with --stream if they are needed.`
  );
}

function announced({ framing, bodyBytes }: Evidence): string {
  if (framing?.kind === 'length') return `${bytes(framing.length)} that it had announced`;
  if (framing?.kind === 'chunked') return `${bytes(bodyBytes)} up to its last chunk`;
  return 'head of an answer that has no body';
}
