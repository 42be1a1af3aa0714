/** Answers with a length that end, or stop, before it: a wrong length, an early FIN, or a stall. */

import type { Observation } from '../observation.ts';
import { amount, lossClause, ofTries, seenIn, type Finder, type Finding, type Study } from '../finding.ts';
import { isReset } from '../outcome.ts';
import { sendsBody } from '../scenario.ts';
import { announcedBytes, observationsOf, wholeCount, type Tally } from '../tally.ts';

/** The same part, each time, is no accident of closing: the length is wrong. */
export const wrongLength: Finder = (study) => {
  const hit = cutTallies(study);
  const seen = seenIn(hit, study, 'cut-closed', 'stalled');
  const same = seen === null ? null : sameCut(hit);
  if (seen === null || same === null) return null;
  const waits = seenIn(hit, study, 'cut-closed') === null;
  return {
    code: 'wrong-length',
    severity: 'fault',
    ...seen,
    what:
      `Announces ${amount(same.announced)} and sends ${amount(same.received)}, each time, and then ` +
      `${waits ? 'waits' : 'closes in order (FIN)'}: ${seen.affected} of ${seen.tries} tries.`,
    cause:
      'Its Content-Length is larger than its body: often characters are counted for octets, or a body is changed after it was measured.',
    cure: notSaved(waits),
    upstreamFix: 'Set Content-Length to the octets of the body, or leave it out and send chunks.',
    options: waits ? ['--body-idle-timeout'] : [],
  };
};

export const closedEarly: Finder = (study) => {
  const hit = cutTallies(study);
  const seen = seenIn(hit, study, 'cut-closed');
  if (seen === null || sameCut(hit) !== null) return null;
  return {
    code: 'closed-early',
    severity: 'fault',
    ...seen,
    what: `Closes in order (FIN) before its answer is over: ${ofTries(seen)} cut${lossClause(seen)}.`,
    cause:
      'Whatever makes its body ends too early: an exception behind the head, a worker that is stopped, or a time limit.',
    cure: notSaved(false),
    upstreamFix: 'Look into its log at the time of the cut.',
    options: ['--retries'],
  };
};

export const stalled: Finder = (study) => {
  const hit = cutTallies(study);
  const seen = seenIn(hit, study, 'stalled');
  if (seen === null || sameCut(hit) !== null) return null;
  return {
    code: 'stalled',
    severity: 'fault',
    ...seen,
    what: `Stops in the middle of its answer and leaves the connection open: ${seen.affected} of ${seen.tries} tries${lossClause(seen)}.`,
    cause: 'It waits for something that does not come, or it needs longer than the time it was given here.',
    cure: notSaved(true),
    upstreamFix: 'Find out what it waits for.',
    options: ['--body-idle-timeout'],
  };
};

function notSaved(waits: boolean): Finding['cure'] {
  const how = waits
    ? 'a 504 after --body-idle-timeout instead of a client that hangs'
    : 'a 502 instead of a 200 with a part';
  return `lastbyte makes of it ${how}, and asks again for what is safe to repeat.`;
}

/** Chunked answers have a finding of their own; a reset elsewhere explains an early FIN. */
function cutTallies({ tallies }: Study): readonly Tally[] {
  const resets = tallies.some(({ outcomes }) => outcomes.some(isReset));
  // Behind our own FIN a reset looks like an orderly end (see `UpstreamConnection`).
  const mayBeReset = ({ scenario }: Tally): boolean => resets && scenario.plan.halfClose;
  return tallies.filter((one) => cuts(one).length > 0 && !isResetByBody(one) && !mayBeReset(one));
}

function isResetByBody({ scenario, outcomes }: Tally): boolean {
  return sendsBody(scenario.plan) && outcomes.some(isReset);
}

function cuts(one: Tally): readonly Observation[] {
  return observationsOf(one, 'cut-closed', 'stalled').filter(
    ({ answer: { evidence } }) => evidence.framing?.kind !== 'chunked',
  );
}

interface Cut {
  readonly announced: number;
  readonly received: number;
}

/** Null: they differ, or some of these answers were whole. */
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
