/** What the tries of one scenario came to, counted. */

import type { Observation } from './observation.ts';
import { isWhole, outcomeOf, type Outcome } from './outcome.ts';
import { sendsBody, type Scenario } from './scenarios.ts';

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

/** Octets that the largest answer was announced to have, or had. */
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
 * The most octets that an answer lost which had begun; null: nothing tells how long it should have been.
 * Without a Content-Length, a whole answer to the same kind of request tells it.
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

/** The size that all whole answers to such requests had; null: there are none, or they differ. */
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
