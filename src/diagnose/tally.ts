/** All tries of one scenario, counted; and the figures of one way, direct or through, as a column of the report. */

import { isWhole, outcomeOf, OUTCOMES } from './outcome.ts';
import type { KeepAlive, Observation, Outcome } from './outcome.ts';
import { sendsBody } from './scenarios.ts';
import type { Scenario } from './scenarios.ts';

export interface Tally {
  readonly scenario: Scenario;
  readonly observations: readonly Observation[];
  /** One an observation, in the same order. */
  readonly outcomes: readonly Outcome[];
}

export function tally(scenario: Scenario, observations: readonly Observation[]): Tally {
  return { scenario, observations, outcomes: observations.map(outcomeOf) };
}

export function countOf({ outcomes }: Tally, ...wanted: readonly Outcome[]): number {
  return outcomes.filter((outcome) => wanted.includes(outcome)).length;
}

/** Observations with one of these outcomes. */
export function observationsOf(
  { observations, outcomes }: Tally,
  ...wanted: readonly Outcome[]
): Observation[] {
  return observations.filter((_, index) => outcomes.some((one, at) => at === index && wanted.includes(one)));
}

export function wholeCount({ outcomes }: Tally): number {
  return outcomes.filter(isWhole).length;
}

/** Bytes that the largest response was announced to have, or had. */
export function largestBytes(tallies: readonly Tally[]): number {
  return Math.max(0, ...tallies.flatMap(({ observations }) => observations.map(sizeOf)));
}

function sizeOf({ answer: { evidence } }: Observation): number {
  return Math.max(announcedBytes(evidence) ?? 0, evidence.bodyBytes);
}

export function announcedBytes({ framing }: Observation['answer']['evidence']): number | null {
  return framing?.kind === 'length' ? framing.length : null;
}

/**
 * The most bytes that a response lost which had begun; null: nothing tells how long it should have been.
 * Without a Content-Length, a whole response to the same kind of request tells it.
 */
export function worstLoss(
  one: Tally,
  all: readonly Tally[],
): { readonly lost: number; readonly of: number } | null {
  const usual = usualBytes(one, all);
  let worst: { readonly lost: number; readonly of: number } | null = null;
  for (const { answer } of observationsOf(one, 'cut-reset', 'cut-closed', 'stalled')) {
    const expected = announcedBytes(answer.evidence) ?? usual;
    if (expected === null || answer.evidence.head === null) continue;
    const lost = Math.max(0, expected - answer.evidence.bodyBytes);
    if (worst === null || lost > worst.lost) worst = { lost, of: expected };
  }
  return worst;
}

/** The size that all whole responses to such requests had; null: there are none, or they differ. */
function usualBytes(one: Tally, all: readonly Tally[]): number | null {
  const sizes = new Set(
    all
      .filter(({ scenario }) => scenario.plan.method === one.scenario.plan.method)
      .flatMap((other) => observationsOf(other, 'whole', 'reset-behind'))
      .map(({ answer }) => answer.evidence.bodyBytes),
  );
  const [size = null] = sizes;
  return sizes.size === 1 ? size : null;
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
  const evidence = observations.map(({ answer }) => answer.evidence);
  const heads = evidence.flatMap(({ head }) => head ?? []);
  const lengths = distinct(evidence.flatMap((seen) => announcedBytes(seen) ?? []));
  const [length = null] = lengths;
  const lost = worstLoss(one, all)?.lost ?? 0;
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
    worstLostBytes: lost === 0 ? null : lost,
    closedBy: distinct(observations.map(({ closed }) => closed.by)),
    bodyRead: distinct(observations.map(({ bodyRead }) => bodyRead)),
    keepAlive: distinct(observations.map(({ keepAlive }) => keepAlive)),
    firstByteMs: spread(observations.flatMap(({ answer }) => answer.firstByteMs ?? [])),
    endedMs: spread(observations.map(({ answer }) => answer.endedMs)),
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
