/** What a finding is, and the words that several of them share. */

import { bytes as exactBytes, count, grouped } from '../config/units.ts';
import type { Outcome } from './outcome.ts';
import { countOf, wholeCount, worstLoss, type Tally } from './tally.ts';

export type FindingCode =
  | 'unread-body'
  | 'reset'
  | 'wrong-length'
  | 'closed-early'
  | 'no-last-chunk'
  | 'stalled'
  | 'surplus'
  | 'no-answer'
  | 'silent'
  | 'keep-alive-closed'
  | 'leftover-body'
  | 'not-http'
  | 'gone'
  | 'half-close'
  | 'until-close'
  | 'endless'
  | 'small-answer'
  | 'error-status';

export interface Finding {
  readonly code: FindingCode;
  /** A `note` is no fault: something to know when reading the verdict. */
  readonly severity: 'fault' | 'note';
  /** What was seen, in numbers. Each text is one or more whole sentences. */
  readonly what: string;
  readonly cause: string;
  /** What lastbyte does about it; null: nothing. */
  readonly cure: string | null;
  /** What to suggest to the authors of the server or the application; null: nothing. */
  readonly upstreamFix: string | null;
  /** Options of lastbyte that matter here. */
  readonly options: readonly string[];
  /** Names of the scenarios in which it was seen. */
  readonly scenarios: readonly string[];
  /** Tries of these scenarios, and how many of them showed it. */
  readonly tries: number;
  readonly affected: number;
  /** The most that one response lost; null: nothing was lost, or nobody can tell. */
  readonly worst: { readonly lostBytes: number; readonly ofBytes: number } | null;
}

/** All that is known when findings are made. */
export interface Study {
  readonly tallies: readonly Tally[];
  readonly method: string;
  readonly bodyBytes: number;
  readonly timeoutMs: number;
}

/** Where a finding was seen, counted. */
export type Seen = Pick<Finding, 'scenarios' | 'tries' | 'affected' | 'worst'>;

/** A finding that was seen: where, in words, and what differs from its row in the table. */
export type Detected = Seen &
  Pick<Finding, 'what'> &
  Partial<Pick<Finding, 'cause' | 'cure' | 'upstreamFix' | 'options'>>;

/** Null: it was not seen. */
export type Detect = (study: Study) => Detected | null;

/** Null: nowhere. */
export function seenIn(
  tallies: readonly Tally[],
  study: Study,
  ...outcomes: readonly Outcome[]
): Seen | null {
  const hit = tallies.filter((one) => countOf(one, ...outcomes) > 0);
  if (hit.length === 0) return null;
  return {
    scenarios: hit.map(({ scenario }) => scenario.name),
    tries: sum(hit, ({ outcomes: all }) => all.length),
    affected: sum(hit, (one) => countOf(one, ...outcomes)),
    worst: worstOf(hit, study),
  };
}

function worstOf(tallies: readonly Tally[], study: Study): Finding['worst'] {
  let worst: Finding['worst'] = null;
  for (const one of tallies) {
    const loss = worstLoss(one, study.tallies);
    if (loss !== null && loss.lost > (worst?.lostBytes ?? 0))
      worst = { lostBytes: loss.lost, ofBytes: loss.of };
  }
  return worst;
}

export function sum<T>(list: readonly T[], value: (one: T) => number): number {
  return list.reduce((total, one) => total + value(one), 0);
}

export function allWhole(one: Tally): boolean {
  return one.outcomes.length > 0 && wholeCount(one) === one.outcomes.length;
}

/** `9 of 10 responses`. */
export function ofTries({ affected, tries }: Seen): string {
  return `${grouped(affected)} of ${count(tries, 'response')}`;
}

/** `, 3.1 MB of 5.0 MB lost at worst`, or nothing. */
export function lossClause({ worst }: Seen): string {
  return worst === null ? '' : `, ${amount(worst.lostBytes)} of ${amount(worst.ofBytes)} lost at worst`;
}

const KB = 1000;
const MB = 1000 * KB;

/** `3.1 MB`, `51.2 kB`, `230 bytes`. */
export function amount(bytes: number): string {
  if (bytes >= MB) return `${(bytes / MB).toFixed(1)} MB`;
  return bytes >= 10 * KB ? `${(bytes / KB).toFixed(1)} kB` : exactBytes(bytes);
}
