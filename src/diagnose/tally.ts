/** What was observed in each try, its outcome, and the counts over all tries of a scenario. Pure. */

import type { EndingKind, Evidence } from '../upstream/evidence.ts';
import type { VerdictKind } from '../upstream/verdict.ts';
import { sendsBody } from './scenarios.ts';
import type { Scenario } from './scenarios.ts';

/** How the server ended its side of the connection; `nobody`: it had not when we stopped waiting. */
export type ClosedBy = 'fin' | 'rst' | 'nobody';

export interface SeenResponse {
  readonly evidence: Evidence;
  readonly verdict: VerdictKind;
  /** From the request's first byte to the response's; null: none came. */
  readonly firstByteMs: number | null;
  /** From the request's first byte to the end of the response. */
  readonly endedMs: number;
}

export interface Observation {
  readonly outcome: Outcome;
  readonly response: SeenResponse;
  /** Statuses of interim responses, in order. */
  readonly interim: readonly number[];
  readonly closed: { readonly by: ClosedBy; readonly afterMs: number };
  /**
   * Whether the server had read our body when the connection ended. A reset means that it had not: a kernel resets a
   * connection that is closed with unread bytes (RFC 2525 section 2.17).
   */
  readonly bodyRead: 'no-body' | 'not-sent' | 'read' | 'unread' | 'unknown';
  /** How long before the body's last byte the response began; null: it began after it, or there was no body. */
  readonly headStartMs: number | null;
  readonly keepAlive: KeepAlive;
  /** The response to the second request on the connection. */
  readonly again: SeenResponse | null;
}

/**
 * - `honoured`: the connection carried a second response
 * - `declined`: the server announced that it would close
 * - `closed-early`: it closed the connection without announcing it
 * - `unanswered`: it did not respond to the second request, but kept the connection open
 */
export type KeepAlive = 'not-asked' | 'honoured' | 'declined' | 'closed-early' | 'unanswered';

/**
 * - `whole`: the complete response arrived
 * - `reset-behind`: it arrived, and then the server reset the connection: only luck that nothing was lost
 * - `surplus`: it arrived, followed by bytes that do not belong to it
 * - `unproven`: it ended with the connection, cleanly: nothing proves it complete (RFC 9112 section 8)
 * - `cut-reset`, `cut-closed`, `stalled`: part of it arrived, then RST, FIN, or nothing
 * - `reset`, `closed`, `silent`: none of it arrived
 * - `not-http`: what arrived is not an HTTP response
 * - `endless`: it exceeded the limits of size or time
 * - `unreachable`: the connection failed
 * - `given-up`: we stopped, because the time for the whole diagnosis was up
 */
export const OUTCOMES = [
  'whole',
  'reset-behind',
  'surplus',
  'unproven',
  'cut-reset',
  'cut-closed',
  'stalled',
  'reset',
  'closed',
  'silent',
  'not-http',
  'endless',
  'unreachable',
  'given-up',
] as const;

export type Outcome = (typeof OUTCOMES)[number];

export function outcomeOf({ response, closed }: Pick<Observation, 'response' | 'closed'>): Outcome {
  const { verdict, evidence } = response;
  switch (verdict) {
    case 'complete':
      if (evidence.surplusBytes > 0) return 'surplus';
      return closed.by === 'rst' ? 'reset-behind' : 'whole';
    case 'unverifiable':
      return 'unproven';
    case 'truncated':
      return CUTS[evidence.ending.kind] ?? 'cut-closed';
    case 'no-response':
      return UNANSWERED[evidence.ending.kind] ?? 'closed';
    case 'malformed':
      return 'not-http';
    case 'over-limit':
      return evidence.ending.kind === 'limit' && evidence.ending.limit === 'head' ? 'not-http' : 'endless';
    case 'abandoned':
      return 'given-up';
  }
}

/** Of responses that had begun; any other ending is a clean close. */
const CUTS: Readonly<Partial<Record<EndingKind, Outcome>>> = {
  rst: 'cut-reset',
  timeout: 'stalled',
  'parse-error': 'not-http',
};

/** Of requests that got not one byte. */
const UNANSWERED: Readonly<Partial<Record<EndingKind, Outcome>>> = {
  'connect-failed': 'unreachable',
  rst: 'reset',
  timeout: 'silent',
};

/** Whether the client got everything that the server announced, or has no reason to doubt it. */
export function isWhole(outcome: Outcome): boolean {
  return outcome === 'whole' || outcome === 'reset-behind' || outcome === 'surplus' || outcome === 'unproven';
}

/** Whether the server reset the connection. */
export function isReset(outcome: Outcome): boolean {
  return outcome === 'reset-behind' || outcome === 'cut-reset' || outcome === 'reset';
}

export const RESETS: readonly Outcome[] = OUTCOMES.filter(isReset);

/** All tries of one scenario. */
export interface Tally {
  readonly scenario: Scenario;
  readonly observations: readonly Observation[];
}

/** Observations with one of these outcomes. */
export function observationsOf({ observations }: Tally, ...wanted: readonly Outcome[]): Observation[] {
  return observations.filter(({ outcome }) => wanted.includes(outcome));
}

/** The evidence of observations with this outcome. */
export function evidenceOf(
  tallies: readonly Tally[],
  outcome: Outcome,
): readonly Observation['response']['evidence'][] {
  return tallies.flatMap((one) => observationsOf(one, outcome)).map(({ response: { evidence } }) => evidence);
}

export function countOf(one: Tally, ...wanted: readonly Outcome[]): number {
  return observationsOf(one, ...wanted).length;
}

export function wholeCount({ observations }: Tally): number {
  return observations.filter(({ outcome }) => isWhole(outcome)).length;
}

export function allWhole(one: Tally): boolean {
  return one.observations.length > 0 && wholeCount(one) === one.observations.length;
}

export function wasReset(one: Tally): boolean {
  return countOf(one, ...RESETS) > 0;
}

export function sum(tallies: readonly Tally[], count: (one: Tally) => number): number {
  return tallies.reduce((total, one) => total + count(one), 0);
}

export function triesOf({ observations }: Tally): number {
  return observations.length;
}

/** Where something was seen, counted. */
export interface Seen {
  /** Names of the scenarios in which it was seen. */
  readonly scenarios: readonly string[];
  /** Tries of these scenarios, and how many of them showed it. */
  readonly tries: number;
  readonly affected: number;
  /** The most that one response lost; null: nothing was lost, or the full length is unknown. */
  readonly worst: Loss | null;
}

export interface Loss {
  readonly lostBytes: number;
  readonly ofBytes: number;
}

/**
 * Where these outcomes were seen; null: nowhere.
 *
 * @param all tallies to compare lengths with
 */
export function seenIn(
  tallies: readonly Tally[],
  all: readonly Tally[],
  ...outcomes: readonly Outcome[]
): Seen | null {
  const hit = tallies.filter((one) => countOf(one, ...outcomes) > 0);
  if (hit.length === 0) return null;
  return {
    scenarios: hit.map(({ scenario }) => scenario.name),
    tries: sum(hit, triesOf),
    affected: sum(hit, (one) => countOf(one, ...outcomes)),
    worst: worstLoss(hit, all),
  };
}

/**
 * The most that one response lost; null: nothing was lost, or the full length is unknown. Without a Content-Length, complete
 * responses to the same kind of request tell it.
 */
export function worstLoss(tallies: readonly Tally[], all: readonly Tally[]): Loss | null {
  const losses = tallies.flatMap((one) => {
    const usual = usualBytes(one, all);
    return observationsOf(one, 'cut-reset', 'cut-closed', 'stalled').flatMap(({ response: { evidence } }) => {
      const ofBytes = announcedBytes(evidence) ?? usual ?? 0;
      const lostBytes = ofBytes - evidence.bodyBytes;
      return lostBytes > 0 && evidence.head !== null ? [{ lostBytes, ofBytes }] : [];
    });
  });
  return losses.sort((a, b) => b.lostBytes - a.lostBytes)[0] ?? null;
}

/** The size of all complete responses to such requests; null: there are none, or they differ. */
function usualBytes(one: Tally, all: readonly Tally[]): number | null {
  const sizes = new Set(
    all
      .filter(({ scenario }) => scenario.plan.method === one.scenario.plan.method)
      .flatMap((other) => observationsOf(other, 'whole', 'reset-behind'))
      .map(({ response }) => response.evidence.bodyBytes),
  );
  const [size = null] = sizes;
  return sizes.size === 1 ? size : null;
}

/** The announced or received size of the largest response. */
export function largestBytes(tallies: readonly Tally[]): number {
  return Math.max(0, ...tallies.flatMap(({ observations }) => observations.map(sizeOf)));
}

function sizeOf({ response: { evidence } }: Observation): number {
  return Math.max(announcedBytes(evidence) ?? 0, evidence.bodyBytes);
}

export function announcedBytes({ framing }: Observation['response']['evidence']): number | null {
  return framing?.kind === 'length' ? framing.length : null;
}

export function withBody(tallies: readonly Tally[]): readonly Tally[] {
  return tallies.filter(({ scenario }) => sendsBody(scenario.plan));
}

export function withoutBody(tallies: readonly Tally[]): readonly Tally[] {
  return tallies.filter(({ scenario }) => !sendsBody(scenario.plan));
}

export interface Column {
  readonly tries: number;
  readonly whole: number;
  /** How many tries had each outcome; outcomes without tries are left out. */
  readonly outcomes: Readonly<Partial<Record<Outcome, number>>>;
  readonly statuses: readonly number[];
  readonly interim: readonly number[];
  readonly versions: readonly ('HTTP/1.0' | 'HTTP/1.1')[];
  readonly framings: readonly ('none' | 'length' | 'chunked' | 'close')[];
  /** By Content-Length; null: none was announced, or responses differ. */
  readonly expectedBytes: number | null;
  readonly receivedBytes: Spread | null;
  /** The most that one response lost; null: nothing was lost, or the full length is unknown. */
  readonly worstLostBytes: number | null;
  readonly closedBy: readonly Observation['closed']['by'][];
  readonly bodyRead: readonly Observation['bodyRead'][];
  readonly keepAlive: readonly KeepAlive[];
  readonly firstByteMs: Spread | null;
  readonly endedMs: Spread | null;
  /** How long before the body's last byte responses began. */
  readonly headStartMs: Spread | null;
}

export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

export function column(one: Tally, all: readonly Tally[]): Column {
  const { observations } = one;
  const evidence = observations.map(({ response }) => response.evidence);
  const heads = evidence.flatMap(({ head }) => head ?? []);
  const lengths = distinct(evidence.flatMap((seen) => announcedBytes(seen) ?? []));
  const [length = null] = lengths;
  return {
    tries: observations.length,
    whole: wholeCount(one),
    outcomes: Object.fromEntries(
      OUTCOMES.map((outcome) => [outcome, countOf(one, outcome)] as const).filter(([, times]) => times > 0),
    ),
    statuses: distinct(heads.map(({ status }) => status)),
    interim: distinct(observations.flatMap(({ interim }) => interim)),
    versions: distinct(heads.map(({ minor }) => (minor === 0 ? 'HTTP/1.0' : 'HTTP/1.1'))),
    framings: distinct(evidence.flatMap(({ framing }) => framing?.kind ?? [])),
    expectedBytes: lengths.length === 1 ? length : null,
    receivedBytes: spread(evidence.map(({ bodyBytes }) => bodyBytes)),
    worstLostBytes: worstLoss([one], all)?.lostBytes ?? null,
    closedBy: distinct(observations.map(({ closed }) => closed.by)),
    bodyRead: distinct(observations.map(({ bodyRead }) => bodyRead)),
    keepAlive: distinct(observations.map(({ keepAlive }) => keepAlive)),
    firstByteMs: spread(observations.flatMap(({ response }) => response.firstByteMs ?? [])),
    endedMs: spread(observations.map(({ response }) => response.endedMs)),
    headStartMs: spread(observations.flatMap(({ headStartMs }) => headStartMs ?? [])),
  };
}

function distinct<T>(values: readonly T[]): readonly T[] {
  return [...new Set(values)];
}

function spread(values: readonly number[]): Spread | null {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (index: number): number => Math.round((sorted[index] ?? 0) * 10) / 10;
  if (sorted.length === 0) return null;
  return { min: at(0), median: at(Math.floor((sorted.length - 1) / 2)), max: at(sorted.length - 1) };
}
