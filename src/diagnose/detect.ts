/** Detects the faults that take more than a line, and puts them into words: pure functions for rows of the table. */

import { roundedBytes, count, grouped } from '../config/units.ts';
import { endingDetail } from '../upstream/evidence.ts';
import { sendsBody, type Plan } from './scenarios.ts';
import {
  allWhole,
  announcedBytes,
  countOf,
  evidenceOf,
  observationsOf,
  RESETS,
  seenIn,
  sum,
  triesOf,
  wasReset,
  wholeCount,
  withBody,
  withoutBody,
} from './tally.ts';
import type { Observation, Outcome, Seen, Tally } from './tally.ts';

/** Everything that the findings are made from. */
export interface Study {
  readonly tallies: readonly Tally[];
  readonly method: string;
  readonly bodyBytes: number;
  readonly timeoutMs: number;
}

/** A finding that was seen: where, a sentence with the numbers, and what differs from its row in the table. */
export interface Detected extends Seen {
  readonly what: string;
  readonly cause?: string;
  readonly cure?: string | null;
  readonly upstreamFix?: string | null;
  readonly options?: readonly string[];
}

/** Null: it was not seen. */
export type Detect = (study: Study) => Detected | null;

/** `9 of 10 responses`. */
function ofTries({ affected, tries }: Seen): string {
  return `${grouped(affected)} of ${count(tries, 'response')}`;
}

/** `, 3.1 MB of 5.0 MB lost at worst`, or nothing. */
function lossClause({ worst }: Seen): string {
  return worst === null
    ? ''
    : `, ${roundedBytes(worst.lostBytes)} of ${roundedBytes(worst.ofBytes)} lost at worst`;
}

/** `3 of 10 tries`. */
export function inTries({ affected, tries }: Seen): string {
  return `${affected} of ${tries} tries`;
}

const LOSSES: readonly Outcome[] = ['reset', 'cut-reset', 'cut-closed'];

/** The proxy's default for --body-hold. */
const BODY_HOLD_MS = 100;

/** The fault that lastbyte exists for: a close with an unread request body, which the kernel turns into a reset. */
export const unreadBody: Detect = (study) => {
  const resets = seenIn(withBody(study.tallies), study.tallies, ...RESETS);
  // If a request without a body is reset too, the body is not the cause.
  const plain = withoutBody(study.tallies).filter(({ scenario }) => !scenario.plan.halfClose);
  if (resets === null || plain.some(wasReset)) return null;
  const hit = study.tallies.filter(({ scenario }) => resets.scenarios.includes(scenario.name));
  const lost = seenIn(hit, study.tallies, ...LOSSES);
  const chunkedOnly = hit.every(({ scenario }) => scenario.plan.body.framing === 'chunked');
  return {
    ...(lost ?? resets),
    scenarios: resets.scenarios,
    what: unreadBodyText(bodyWords(hit), resets, lost),
    ...cureOf(study, chunkedOnly),
    ...(chunkedOnly ? { upstreamFix: FIX_FOR_CHUNKED } : {}),
  };
};

const FIX_FOR_CHUNKED =
  'Decode a chunked request body and read it to its end before closing. If that is not possible, shut down the sending side, ' +
  'keep reading, and close once the client has closed (RFC 9112 section 9.6). In an application, read the body before responding.';

function unreadBodyText(body: string, resets: Seen, lost: Seen | null): string {
  const when = `Resets the connection when it closes with an unread ${body}`;
  if (lost !== null) return `${when}: ${ofTries(lost)} truncated${lossClause(lost)}.`;
  return (
    `${when}, in ${resets.affected} of ${resets.tries} tries. All responses arrived before the reset: with a larger ` +
    'response, a slower client or a longer path, part of it would be lost.'
  );
}

function bodyWords(hit: readonly Tally[]): string {
  const framings = new Set(hit.map(({ scenario }) => scenario.plan.body.framing));
  if (framings.size > 1) return 'request body, with a Content-Length or chunked';
  return framings.has('chunked') ? 'chunked request body' : 'request body';
}

/** Something is called a cure only if it was seen to deliver complete responses. */
function cureOf(study: Study, chunkedOnly: boolean): Pick<Detected, 'cure' | 'options'> {
  const whole = (fits: (plan: Plan) => boolean): boolean => {
    const fitting = study.tallies.filter(({ scenario }) => fits(scenario.plan));
    return fitting.length > 0 && fitting.every((one) => allWhole(one) && !wasReset(one));
  };
  const withLength = ({ body }: Plan): boolean => body.framing === 'length';
  if (chunkedOnly && whole((plan) => withLength(plan) && plan.connection === 'close')) {
    return { cure: 'lastbyte avoids it by sending a Content-Length.', options: [] };
  }
  if (whole(({ body }) => body.framing !== 'none' && body.sent === 'withheld')) {
    return {
      cure: 'lastbyte avoids it by withholding the body until the server has responded without it.',
      options: holdOptions(study),
    };
  }
  if (whole((plan) => withLength(plan) && plan.connection === 'keep-alive')) {
    return {
      cure: 'lastbyte avoids it by sending a Content-Length and keeping the connection open.',
      options: [],
    };
  }
  return { options: ['--withhold-body always'] };
}

/** If a server begins its response only after the hold, it gets the body the first time: the hold must be longer. */
function holdOptions({ tallies }: Study): readonly string[] {
  const begins = tallies
    .filter(({ scenario: { plan } }) => plan.body.framing !== 'none' && plan.body.sent === 'withheld')
    .flatMap((one) => observationsOf(one, 'whole', 'unproven'))
    .map(({ response }) => response.firstByteMs ?? 0);
  const slowest = Math.max(0, ...begins);
  if (slowest < BODY_HOLD_MS) return [];
  return [`--body-hold ${Math.ceil((slowest * 2) / 100) * 100}ms`];
}

/** Resets that no unread body explains. */
export const reset: Detect = ({ tallies }) => {
  const plain = seenIn(withoutBody(tallies).filter(isFullyOpen), tallies, ...RESETS);
  if (plain === null) return null;
  const lost = seenIn(tallies, tallies, 'reset', 'cut-reset');
  if (lost === null) {
    return {
      ...plain,
      what: `Resets the connection after the response, even without a request body: ${inTries(plain)}.`,
    };
  }
  const unanswered = seenIn(tallies, tallies, 'reset');
  return {
    ...lost,
    what:
      unanswered?.affected === lost.affected
        ? `Resets the connection without responding: ${inTries(lost)}.`
        : `Resets the connection, even without a request body: ${ofTries(lost)} truncated${lossClause(lost)}.`,
  };
};

/** If the same part is missing every time, the cause is a wrong length, not an early close. */
export const wrongLength: Detect = ({ tallies }) => {
  const hit = cutTallies(tallies);
  const same = sameCut(hit);
  if (same === null) return null;
  const waits = seenIn(hit, tallies, 'cut-closed') === null;
  return found(
    seenIn(hit, tallies, 'cut-closed', 'stalled'),
    (seen) =>
      `Announces ${roundedBytes(same.announced)} but sends ${roundedBytes(same.received)} every time, and then ` +
      `${waits ? 'waits' : 'closes cleanly (FIN)'}: ${inTries(seen)}.`,
    waits ? { cure: CURE_OF_STALLED, options: ['--body-idle-timeout'] } : {},
  );
};

export const CURE_OF_STALLED: string =
  'lastbyte responds with 504 after --body-idle-timeout, so that the client does not hang, and retries requests that ' +
  'are safe to repeat.';

export const closedEarly: Detect = cutAnywhere(
  'cut-closed',
  (seen) =>
    `Closes cleanly (FIN) before the end of its response: ${ofTries(seen)} truncated${lossClause(seen)}.`,
);

export const stalled: Detect = cutAnywhere(
  'stalled',
  (seen) =>
    `Stalls in the middle of its response and leaves the connection open: ${inTries(seen)}${lossClause(seen)}.`,
);

/** Responses that were cut in this way, not always at the same byte. */
function cutAnywhere(outcome: Outcome, what: (seen: Seen) => string): Detect {
  return ({ tallies }) => {
    const hit = cutTallies(tallies);
    return sameCut(hit) === null ? found(seenIn(hit, tallies, outcome), what) : null;
  };
}

export const noLastChunk: Detect = ({ tallies }) => {
  const hit = tallies.filter((one) => observationsOf(one, 'cut-closed', 'stalled').some(isChunked));
  const waits = seenIn(hit, tallies, 'cut-closed') === null;
  return found(
    seenIn(hit, tallies, 'cut-closed', 'stalled'),
    (seen) =>
      `Ends a chunked response without its last chunk, and then ${waits ? 'waits' : 'closes cleanly (FIN)'}: ${inTries(seen)}.`,
    { options: waits ? ['--body-idle-timeout'] : [] },
  );
};

/** Bytes after the end of a response: a length that is too small. */
export const surplus: Detect = ({ tallies }) => {
  // After a request with a body, they may be a response to that body, which the server took for a request.
  const hit = tallies.filter(({ scenario: { plan } }) => !(plan.again && sendsBody(plan)));
  const most = Math.max(...evidenceOf(hit, 'surplus').map(({ surplusBytes }) => surplusBytes));
  return found(
    seenIn(hit, tallies, 'surplus'),
    (seen) => `Sends up to ${roundedBytes(most)} more than it announced: ${inTries(seen)}.`,
  );
};

/** A TLS alert (RFC 8446 section 5.1): content type 21, version 3.x. */
const TLS_ALERT = /\\u0015\\u0003/;

export const notHttp: Detect = ({ tallies }) => {
  const details = evidenceOf(tallies, 'not-http').map(
    ({ ending }) => endingDetail(ending) ?? 'it is not HTTP/1.1',
  );
  const [detail = ''] = details;
  const speaksTls = details.some((one) => TLS_ALERT.test(one));
  return found(
    seenIn(tallies, tallies, 'not-http'),
    (seen) => `Does not respond in HTTP/1.1: ${detail}, in ${inTries(seen)}.`,
    speaksTls
      ? {
          cause: 'It speaks TLS on this port.',
          upstreamFix: 'Use https:// in the address.',
          options: ['--target https://…'],
        }
      : {},
  );
};

export const leftoverBody: Detect = ({ tallies }) => {
  const usual = usualStatuses(tallies);
  // If there is surplus without a body too, it is not a response to the rest of a body.
  const hasOwnSurplus = withoutBody(tallies).some((one) => countOf(one, 'surplus') > 0);
  return found(
    seenOnKept(
      withBody(tallies),
      (observation) => isSpoilt(observation, usual) || (!hasOwnSurplus && isAnsweredTwice(observation)),
    ),
    (seen) =>
      `Reads an unread request body as the next request on a kept-alive connection: ${inTries(seen)}.`,
  );
};

export function found(
  seen: Seen | null,
  what: (seen: Seen) => string,
  differs: Partial<Detected> = {},
): Detected | null {
  return seen === null ? null : { ...seen, ...differs, what: what(seen) };
}

export function isFullyOpen({ scenario }: Tally): boolean {
  return !scenario.plan.halfClose;
}

function isChunked({ response: { evidence } }: Observation): boolean {
  return evidence.framing?.kind === 'chunked';
}

/** Without chunked responses, which have a finding of their own, and without what a reset explains. */
function cutTallies(tallies: readonly Tally[]): readonly Tally[] {
  const resets = tallies.some(wasReset);
  return tallies.filter((one) => {
    const { plan } = one.scenario;
    const isResetByBody = sendsBody(plan) && wasReset(one);
    // After our own FIN, a reset looks like a clean end (see `UpstreamConnection`).
    const mayBeReset = plan.halfClose && resets;
    return cuts(one).length > 0 && !isResetByBody && !mayBeReset;
  });
}

function cuts(one: Tally): readonly Observation[] {
  return observationsOf(one, 'cut-closed', 'stalled').filter((observation) => !isChunked(observation));
}

interface Cut {
  readonly announced: number;
  readonly received: number;
}

/** Null: the cuts differ, or some of these responses were complete. */
function sameCut(hit: readonly Tally[]): Cut | null {
  if (hit.some((one) => wholeCount(one) > 0)) return null;
  const all = hit.flatMap(cuts).map(({ response: { evidence } }) => ({
    announced: announcedBytes(evidence),
    received: evidence.bodyBytes,
  }));
  const [first] = all;
  if (first === undefined || first.announced === null || all.length < 2) return null;
  const isSame = all.every((cut) => cut.announced === first.announced && cut.received === first.received);
  return isSame ? { announced: first.announced, received: first.received } : null;
}

function isAnsweredTwice({ response }: Observation): boolean {
  return response.verdict === 'complete' && response.evidence.surplusBytes > 0;
}

function isSpoilt({ again }: Observation, usual: ReadonlySet<number>): boolean {
  if (again === null) return false;
  const status = again.evidence.head?.status ?? null;
  return again.verdict === 'malformed' || (status !== null && usual.size > 0 && !usual.has(status));
}

/** The statuses of a GET that is the first request on its connection. */
function usualStatuses(tallies: readonly Tally[]): ReadonlySet<number> {
  const plain = withoutBody(tallies).filter(({ scenario }) => scenario.plan.method === 'GET');
  const statuses = plain.flatMap(({ observations }) =>
    observations.map(({ response }) => response.evidence.head?.status),
  );
  return new Set(statuses.filter((status) => status !== undefined));
}

/** Counts only scenarios that send a second request on the connection. */
export function seenOnKept(
  tallies: readonly Tally[],
  shows: (observation: Observation) => boolean,
): Seen | null {
  const kept = tallies.filter(
    ({ scenario, observations }) => scenario.plan.again && observations.some(shows),
  );
  if (kept.length === 0) return null;
  return {
    scenarios: kept.map(({ scenario }) => scenario.name),
    tries: sum(kept, triesOf),
    affected: sum(kept, ({ observations }) => observations.filter(shows).length),
    worst: null,
  };
}
