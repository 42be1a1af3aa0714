/** Where each finding is seen: a pure function for each row of the table of findings. */

import { duration, grouped } from '../config/units.ts';
import { allWhole, amount, lossClause, ofTries, seenIn, sum } from './finding.ts';
import { endingDetail } from '../upstream/evidence.ts';
import type { Detect, Detected, Seen, Study } from './finding.ts';
import type { Observation } from './outcome.ts';
import { isReset } from './outcome.ts';
import { sendsBody } from './scenarios.ts';
import {
  announcedBytes,
  countOf,
  largestBytes,
  observationsOf,
  wholeCount,
  withBody,
  withoutBody,
  type Tally,
} from './tally.ts';

/** Resets that no unread body explains. */
export const reset: Detect = (study) => {
  const plain = seenIn(
    withoutBody(study.tallies).filter(isFullyOpen),
    study,
    'reset',
    'cut-reset',
    'reset-behind',
  );
  if (plain === null) return null;
  const lost = seenIn(study.tallies, study, 'reset', 'cut-reset');
  if (lost === null) {
    return {
      ...plain,
      what: `Resets the connection after the response, even without a request body: ${inTries(plain)}.`,
    };
  }
  const unanswered = seenIn(study.tallies, study, 'reset');
  return {
    ...lost,
    what:
      unanswered?.affected === lost.affected
        ? `Resets the connection without responding: ${inTries(lost)}.`
        : `Resets the connection, even without a request body: ${ofTries(lost)} truncated${lossClause(lost)}.`,
  };
};

/** The same part, each time, is no accident of closing: the length is wrong. */
export const wrongLength: Detect = (study) => {
  const hit = cutTallies(study);
  const seen = seenIn(hit, study, 'cut-closed', 'stalled');
  const same = seen === null ? null : sameCut(hit);
  if (seen === null || same === null) return null;
  const waits = seenIn(hit, study, 'cut-closed') === null;
  return {
    ...seen,
    what:
      `Announces ${amount(same.announced)} but sends ${amount(same.received)} every time, and then ` +
      `${waits ? 'waits' : 'closes cleanly (FIN)'}: ${inTries(seen)}.`,
    ...(waits ? { cure: CURE_OF_STALLED, options: ['--body-idle-timeout'] } : {}),
  };
};

const CURE_OF_STALLED =
  'lastbyte responds with 504 after --body-idle-timeout, so that the client does not hang, and retries requests that ' +
  'are safe to repeat.';

export const closedEarly: Detect = (study) => {
  const hit = cutTallies(study);
  const seen = seenIn(hit, study, 'cut-closed');
  if (seen === null || sameCut(hit) !== null) return null;
  return {
    ...seen,
    what: `Closes cleanly (FIN) before the end of its response: ${ofTries(seen)} truncated${lossClause(seen)}.`,
  };
};

export const stalled: Detect = (study) => {
  const hit = cutTallies(study);
  const seen = seenIn(hit, study, 'stalled');
  if (seen === null || sameCut(hit) !== null) return null;
  return {
    ...seen,
    what: `Stalls in the middle of its response and leaves the connection open: ${inTries(seen)}${lossClause(seen)}.`,
  };
};

/** Chunked responses that never say that they are over. */
export const noLastChunk: Detect = (study) => {
  const hit = study.tallies.filter((one) => observationsOf(one, 'cut-closed', 'stalled').some(isChunked));
  const seen = seenIn(hit, study, 'cut-closed', 'stalled');
  if (seen === null) return null;
  const waits = seenIn(hit, study, 'cut-closed') === null;
  return {
    ...seen,
    what: `Ends a chunked response without its last chunk, and then ${waits ? 'waits' : 'closes cleanly (FIN)'}: ${inTries(seen)}.`,
    options: waits ? ['--body-idle-timeout'] : [],
  };
};

/** Bytes after the end of a response: a length that is too small. */
export const surplus: Detect = (study) => {
  // What comes after a response whose request had a body may be the response to that body, taken for a request.
  const hit = study.tallies.filter(({ scenario: { plan } }) => !(plan.again && sendsBody(plan)));
  const seen = seenIn(hit, study, 'surplus');
  if (seen === null) return null;
  const most = Math.max(
    ...hit
      .flatMap((one) => observationsOf(one, 'surplus'))
      .map(({ answer: { evidence } }) => evidence.surplusBytes),
  );
  return { ...seen, what: `Sends up to ${amount(most)} more than it announced: ${inTries(seen)}.` };
};

/** A TLS alert (RFC 8446 section 5.1): content type 21, version 3.x. */
const TLS_ALERT = /\\u0015\\u0003/;

export const notHttp: Detect = (study) => {
  const seen = seenIn(study.tallies, study, 'not-http');
  if (seen === null) return null;
  const details = study.tallies
    .flatMap((one) => observationsOf(one, 'not-http'))
    .map(({ answer: { evidence } }) => endingDetail(evidence.ending) ?? 'it is not HTTP/1.1');
  const [detail = ''] = details;
  const what = `Does not respond in HTTP/1.1: ${detail}, in ${inTries(seen)}.`;
  if (!details.some((one) => TLS_ALERT.test(one))) return { ...seen, what };
  return {
    ...seen,
    what,
    cause: 'It speaks TLS on this port.',
    upstreamFix: 'Use https:// in the address.',
    options: ['--target https://…'],
  };
};

export const noAnswer: Detect = (study) => {
  const seen = seenIn(study.tallies.filter(isFullyOpen), study, 'closed');
  return seen === null
    ? null
    : { ...seen, what: `Closes the connection without a response: ${inTries(seen)}.` };
};

export const silent: Detect = (study) => {
  const seen = seenIn(study.tallies.filter(isFullyOpen), study, 'silent');
  if (seen === null) return null;
  return {
    ...seen,
    what: `Accepts the request but does not respond within ${duration(study.timeoutMs)}: ${inTries(seen)}.`,
  };
};

export const gone: Detect = (study) => {
  const seen = seenIn(study.tallies, study, 'unreachable');
  if (seen === null) return null;
  return {
    ...seen,
    what: `Stopped accepting connections during the run: ${inTries(seen)} could not connect.`,
  };
};

export const leftoverBody: Detect = (study) => {
  const usual = usualStatuses(study);
  // Where more than was announced comes without a body too, it is no response to what was left of one.
  const hasOwnSurplus = withoutBody(study.tallies).some((one) => countOf(one, 'surplus') > 0);
  const seen = seenOnKept(
    withBody(study.tallies),
    (observation) => isSpoilt(observation, usual) || (!hasOwnSurplus && isAnsweredTwice(observation)),
  );
  if (seen === null) return null;
  return {
    ...seen,
    what: `Reads an unread request body as the next request on a kept-alive connection: ${inTries(seen)}.`,
  };
};

export const keepAliveClosed: Detect = (study) => {
  const seen = seenOnKept(
    withoutBody(study.tallies),
    ({ keepAlive }) => keepAlive === 'closed-early' || keepAlive === 'unanswered',
  );
  if (seen === null) return null;
  return {
    ...seen,
    what: `Closes kept-alive connections without announcing it: the second request was lost in ${inTries(seen)}.`,
  };
};

export const halfClose: Detect = (study) => {
  const seen = seenIn(
    study.tallies.filter((one) => !isFullyOpen(one)),
    study,
    'closed',
    'reset',
    'silent',
  );
  if (seen === null || seen.affected === 0) return null;
  return {
    ...seen,
    what: `Does not respond to a client that half-closes after its request: ${inTries(seen)}.`,
  };
};

export const untilClose: Detect = (study) => {
  const seen = seenIn(study.tallies, study, 'unproven');
  if (seen === null) return null;
  const sizes = study.tallies
    .flatMap((one) => observationsOf(one, 'unproven'))
    .map(({ answer: { evidence } }) => evidence.bodyBytes);
  const smallest = Math.min(...sizes);
  const largest = Math.max(...sizes);
  const differ =
    smallest < largest ? ` Their sizes differ, from ${grouped(smallest)} to ${grouped(largest)} bytes.` : '';
  return {
    ...seen,
    what: `Ends responses by closing the connection, without a Content-Length or chunks: ${seen.affected} of ${seen.tries}.${differ}`,
  };
};

export const endless: Detect = (study) => {
  const seen = seenIn(study.tallies, study, 'endless');
  if (seen === null) return null;
  return {
    ...seen,
    what: `Streams without an end: ${seen.affected} of ${seen.tries} responses were still arriving at the time or size limit, the largest after ${amount(largestBytes(study.tallies))}.`,
  };
};

export const errorStatus: Detect = (study) => {
  const given = withBody(study.tallies);
  const statuses = given.flatMap(({ observations }) =>
    observations.map(({ answer }) => answer.evidence.head?.status ?? 0),
  );
  const errors = statuses.filter((status) => status >= 400);
  if (errors.length === 0 || errors.length < statuses.length / 2) return null;
  const listed = [...new Set(errors)].sort((a, b) => a - b).join(', ');
  return {
    scenarios: given.map(({ scenario }) => scenario.name),
    tries: statuses.length,
    affected: errors.length,
    worst: null,
    what: `Responded to a ${study.method} with a body with ${listed} in ${errors.length} of ${statuses.length} tries.`,
  };
};

/** Less than what a kernel sends at once on any path: loss would hardly show. */
const SMALL_BYTES = 200_000;

export const smallAnswer: Detect = ({ tallies }): Detected | null => {
  const largest = largestBytes(tallies);
  const wasReset = tallies.some(({ outcomes }) => outcomes.some(isReset));
  if (largest >= SMALL_BYTES || wasReset || !tallies.every(allWhole)) return null;
  return {
    scenarios: [],
    tries: 0,
    affected: 0,
    worst: null,
    what: `The largest response is ${amount(largest)}: so little is rarely lost.`,
  };
};

/** `3 of 10 tries`. */
function inTries({ affected, tries }: Seen): string {
  return `${affected} of ${tries} tries`;
}

function isFullyOpen({ scenario }: Tally): boolean {
  return !scenario.plan.halfClose;
}

function isChunked({ answer: { evidence } }: Observation): boolean {
  return evidence.framing?.kind === 'chunked';
}

/** Chunked responses have a finding of their own; a reset elsewhere explains an early FIN. */
function cutTallies({ tallies }: Study): readonly Tally[] {
  const resets = tallies.some(({ outcomes }) => outcomes.some(isReset));
  // After our own FIN a reset looks like a clean end (see `UpstreamConnection`).
  const mayBeReset = ({ scenario }: Tally): boolean => resets && scenario.plan.halfClose;
  return tallies.filter((one) => cuts(one).length > 0 && !isResetByBody(one) && !mayBeReset(one));
}

function isResetByBody({ scenario, outcomes }: Tally): boolean {
  return sendsBody(scenario.plan) && outcomes.some(isReset);
}

function cuts(one: Tally): readonly Observation[] {
  return observationsOf(one, 'cut-closed', 'stalled').filter((observation) => !isChunked(observation));
}

interface Cut {
  readonly announced: number;
  readonly received: number;
}

/** Null: they differ, or some of these responses were whole. */
function sameCut(hit: readonly Tally[]): Cut | null {
  if (hit.some((one) => wholeCount(one) > 0)) return null;
  const all = hit.flatMap(cuts).map(({ answer: { evidence } }) => ({
    announced: announcedBytes(evidence),
    received: evidence.bodyBytes,
  }));
  const [first] = all;
  if (first === undefined || first.announced === null || all.length < 2) return null;
  const isSame = all.every((cut) => cut.announced === first.announced && cut.received === first.received);
  return isSame ? { announced: first.announced, received: first.received } : null;
}

function isAnsweredTwice({ answer }: Observation): boolean {
  return answer.verdict === 'complete' && answer.evidence.surplusBytes > 0;
}

function isSpoilt({ again }: Observation, usual: ReadonlySet<number>): boolean {
  if (again === null) return false;
  const status = again.evidence.head?.status ?? null;
  return again.verdict === 'malformed' || (status !== null && usual.size > 0 && !usual.has(status));
}

/** Statuses of a GET that nothing went before. */
function usualStatuses({ tallies }: Study): ReadonlySet<number> {
  const plain = withoutBody(tallies).filter(({ scenario }) => scenario.plan.method === 'GET');
  const statuses = plain.flatMap(({ observations }) =>
    observations.map(({ answer }) => answer.evidence.head?.status),
  );
  return new Set(statuses.filter((status) => status !== undefined));
}

/** Among scenarios that ask twice on one connection. */
function seenOnKept(tallies: readonly Tally[], shows: (observation: Observation) => boolean): Seen | null {
  const kept = tallies.filter(
    ({ scenario, observations }) => scenario.plan.again && observations.some(shows),
  );
  if (kept.length === 0) return null;
  return {
    scenarios: kept.map(({ scenario }) => scenario.name),
    tries: sum(kept, ({ observations }) => observations.length),
    affected: sum(kept, ({ observations }) => observations.filter(shows).length),
    worst: null,
  };
}
