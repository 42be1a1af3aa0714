/** What is observed of each try, what it came to, and all tries of a scenario counted: the figures of one column of the report. Pure. */

import type { EndingKind, Evidence } from '../upstream/evidence.ts';
import type { VerdictKind } from '../upstream/verdict.ts';
import { sendsBody } from './scenarios.ts';
import type { Scenario } from './scenarios.ts';

/** How the server ended its side of the connection; `nobody`: it had not, when we stopped waiting. */
export type ClosedBy = 'fin' | 'rst' | 'nobody';

export interface SeenResponse {
  readonly evidence: Evidence;
  readonly verdict: VerdictKind;
  /** From the request's first byte to the response's; null: none came. */
  readonly firstByteMs: number | null;
  /** From the request's first byte until the response was over, or could go no further. */
  readonly endedMs: number;
}

export interface Observation {
  readonly outcome: Outcome;
  readonly response: SeenResponse;
  /** Statuses of interim responses, in order. */
  readonly interim: readonly number[];
  readonly closed: { readonly by: ClosedBy; readonly afterMs: number };
  /**
   * Whether the server had taken our body when the connection ended. A reset after it means that it had not: a kernel
   * resets what is closed with bytes unread (RFC 2525 section 2.17).
   */
  readonly bodyRead: 'no-body' | 'not-sent' | 'read' | 'unread' | 'unknown';
  /** How much earlier the response began than the last byte of our body was sent; null: it did not. */
  readonly headStartMs: number | null;
  readonly keepAlive: KeepAlive;
  /** The response to the second request on the connection. */
  readonly again: SeenResponse | null;
}

/**
 * - `honoured`: the connection carried a second response
 * - `declined`: the server said that it would close
 * - `closed-early`: it closed a connection that it had not said it would close
 * - `unanswered`: it left the second request on an open connection
 */
export type KeepAlive = 'not-asked' | 'honoured' | 'declined' | 'closed-early' | 'unanswered';

/**
 * - `whole`: the response arrived and was in order
 * - `reset-behind`: it arrived, and the server reset the connection after it: luck, that nothing was lost
 * - `surplus`: it arrived, with bytes after it that belong to nothing
 * - `unproven`: it ended with the connection, in order: nothing can prove it whole (RFC 9112 section 8)
 * - `cut-reset`, `cut-closed`, `stalled`: a part of it arrived, then RST, FIN, or nothing more
 * - `reset`, `closed`, `silent`: none of it arrived
 * - `not-http`: what arrived is no response
 * - `endless`: it went on after the limits of size or time
 * - `unreachable`: no connection
 * - `given-up`: we ended it, because the time for all tries was over
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

/** Of responses that began; any other ending is an orderly close. */
const CUTS: Readonly<Partial<Record<EndingKind, Outcome>>> = {
  rst: 'cut-reset',
  timeout: 'stalled',
  'parse-error': 'not-http',
};

/** Of requests that got no byte. */
const UNANSWERED: Readonly<Partial<Record<EndingKind, Outcome>>> = {
  'connect-failed': 'unreachable',
  rst: 'reset',
  timeout: 'silent',
};

/** Whether the client has all that the server announced, and can know it or has no reason to doubt it. */
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
  /** The most that one response lost; null: nothing was lost, or nobody can tell. */
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
 * The most that one response lost; null: nothing was lost, or nothing tells how long it should have been.
 * Without a Content-Length, a whole response to the same kind of request tells it.
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

/** The size that all whole responses to such requests had; null: there are none, or they differ. */
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

/** Bytes that the largest response was announced to have, or had. */
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
  /** How many tries had each outcome; outcomes that did not come up are left out. */
  readonly outcomes: Readonly<Partial<Record<Outcome, number>>>;
  readonly statuses: readonly number[];
  readonly interim: readonly number[];
  readonly versions: readonly ('HTTP/1.0' | 'HTTP/1.1')[];
  readonly framings: readonly ('none' | 'length' | 'chunked' | 'close')[];
  /** By Content-Length; null: none was announced, or answers differ. */
  readonly expectedBytes: number | null;
  readonly receivedBytes: Spread | null;
  /** The most that one response lost; null: none lost anything, or nobody can tell. */
  readonly worstLostBytes: number | null;
  readonly closedBy: readonly Observation['closed']['by'][];
  readonly bodyRead: readonly Observation['bodyRead'][];
  readonly keepAlive: readonly KeepAlive[];
  readonly firstByteMs: Spread | null;
  readonly endedMs: Spread | null;
  /** How much earlier answers began than the last byte of the body was sent. */
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
