/** Observations and tallies as a probe would bring them, with only what a test is about written out. */

import { SCENARIOS } from '../../../src/diagnose/scenarios.ts';
import { outcomeOf } from '../../../src/diagnose/tally.ts';
import type { Observation, Tally } from '../../../src/diagnose/tally.ts';
import type { Study } from '../../../src/diagnose/detect.ts';
import type { Scenario } from '../../../src/diagnose/scenarios.ts';
import type { Framing } from '../../../src/http/framing.ts';
import type { Ending, EndingKind, Evidence } from '../../../src/upstream/evidence.ts';
import { evidence } from '../upstream/evidence-fixtures.ts';
import { judge } from '../../../src/upstream/verdict.ts';

const ANSWER_BYTES = 5_000_000;

export interface Seen {
  readonly ending?: Ending | EndingKind;
  readonly status?: number | null;
  readonly framing?: Framing | null;
  readonly bodyBytes?: number;
  readonly surplusBytes?: number;
  readonly firstByteMs?: number;
  readonly closedBy?: Observation['closed']['by'];
  readonly keepAlive?: Observation['keepAlive'];
  /** Status of the response to the second request. */
  readonly again?: number;
}

/** A whole 200 of 5 MB with a length, closed by FIN, but for what is named. */
export function observed(seen: Seen = {}): Observation {
  const { closedBy = 'fin', keepAlive = 'not-asked', firstByteMs = 3, again } = seen;
  const seenEvidence = evidenceOf(seen);
  const response = { evidence: seenEvidence, verdict: judge(seenEvidence), firstByteMs, endedMs: 9 };
  const closed = { by: closedBy, afterMs: 9 };
  return {
    outcome: outcomeOf({ response, closed }),
    response,
    interim: [],
    closed,
    bodyRead: 'unknown',
    headStartMs: null,
    keepAlive,
    again: again === undefined ? null : observed({ status: again }).response,
  };
}

function evidenceOf(seen: Seen): Evidence {
  const { ending = 'message-end', status = 200, framing = { kind: 'length', length: ANSWER_BYTES } } = seen;
  return evidence({
    ending,
    head: status === null ? null : { minor: 1, status, reason: '', fields: [] },
    framing: status === null ? null : framing,
    headBytes: status === null ? 0 : 60,
    bodyBytes: seen.bodyBytes ?? (status === null ? 0 : ANSWER_BYTES),
    surplusBytes: seen.surplusBytes ?? 0,
  });
}

export function scenarioNamed(name: string): Scenario {
  const scenario = SCENARIOS.find((one) => one.name === name);
  if (scenario === undefined) throw new Error(`there is no scenario ${name}`);
  return scenario;
}

/** Tallies of these scenarios, from what each try of each saw. */
export function tallies(seen: Readonly<Record<string, readonly Seen[]>>): readonly Tally[] {
  return Object.entries(seen).map(([name, tries]) => ({
    scenario: scenarioNamed(name),
    observations: tries.map(observed),
  }));
}

export function study(seen: Readonly<Record<string, readonly Seen[]>>): Study {
  return { tallies: tallies(seen), method: 'POST', bodyBytes: 1000, timeoutMs: 5000 };
}

/** Ways in which a response can end. */
export const WHOLE: Seen = {};
export const CUT: Seen = { ending: 'rst', bodyBytes: 2_000_000, closedBy: 'rst' };
export const RESET_BEHIND: Seen = { closedBy: 'rst' };
export const UNANSWERED: Seen = { ending: 'rst', status: null, closedBy: 'rst' };
