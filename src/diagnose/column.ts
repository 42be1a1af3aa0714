/** What the tries of one scenario showed, as figures: a part of the JSON report. */

import type { KeepAlive, Observation } from './observation.ts';
import { OUTCOMES, type Outcome } from './outcome.ts';
import { announcedBytes, countOf, wholeCount, worstLoss, type Tally } from './tally.ts';

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
  /** The most that one answer lost; null: none lost anything, or nobody can tell. */
  readonly worstLostBytes: number | null;
  readonly closedBy: readonly Observation['closed']['by'][];
  readonly bodyRead: readonly Observation['bodyRead'][];
  readonly keepAlive: readonly KeepAlive[];
  readonly firstByteMs: Spread | null;
  readonly endedMs: Spread | null;
  /** How much earlier answers began than the last octet of the body was sent. */
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
