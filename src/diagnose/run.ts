/** Runs the scenarios one after the other, within the time there is, and stops where more would tell nothing new. */

import { targetUrl } from '../config/target.ts';
import { explainUnreachable } from '../exchange/explain.ts';
import { openConnection } from '../upstream/dial.ts';
import { CLIENT_GONE, connectFailed, evidenceOf } from '../upstream/evidence.ts';
import type { Ending } from '../upstream/evidence.ts';
import { judge } from '../upstream/verdict.ts';
import { Conversation } from './conversation.ts';
import type { ProbeLimits } from './conversation.ts';
import { outcomeOf } from './outcome.ts';
import type { Observation, Outcome, SeenAnswer } from './outcome.ts';
import { report } from './report.ts';
import type { DiagnosisReport, Measured } from './report.ts';
import { redirected } from './request.ts';
import type { Asking } from './request.ts';
import { scenariosFor, sendsBody } from './scenarios.ts';
import type { Plan, Scenario } from './scenarios.ts';
import type { DiagnoseSettings } from './settings.ts';
import { tally } from './tally.ts';
import type { Tally } from './tally.ts';

/** How far a diagnosis is. */
export interface DiagnosisProgress {
  readonly scenario: string;
  readonly title: string;
  readonly way: 'direct' | 'through';
  /** Of all scenarios, counted from 1. */
  readonly number: number;
  readonly of: number;
  readonly tried: number;
  readonly tries: number;
}

/** A diagnosis with settings that hold. */
export async function runDiagnosis(
  settings: DiagnoseSettings,
  onProgress: (progress: DiagnosisProgress) => void,
  signal?: AbortSignal,
): Promise<DiagnosisReport> {
  const timeIsOver = AbortSignal.timeout(settings.timeLimitMs);
  const stop = signal === undefined ? timeIsOver : AbortSignal.any([timeIsOver, signal]);
  return report(settings, await new Diagnosis(settings, onProgress, stop).run());
}

/** Tries that may run into a limit of time in one scenario, and in all: more would tell nothing new. */
const SLOW_TRIES = { ofScenario: 2, ofAll: 6 } as const;
/** The same for responses without an end: each takes the whole limit of a try. */
const ENDLESS_TRIES = { ofScenario: 1, ofAll: 2 } as const;
const SLOW: readonly Outcome[] = ['silent', 'stalled', 'unreachable'];

class Diagnosis {
  readonly #settings: DiagnoseSettings;
  readonly #onProgress: (progress: DiagnosisProgress) => void;
  readonly #stop: AbortSignal;
  readonly #direct: Tally[] = [];
  readonly #through: Tally[] = [];
  #unreachable: string | null = null;

  constructor(
    settings: DiagnoseSettings,
    onProgress: (progress: DiagnosisProgress) => void,
    stop: AbortSignal,
  ) {
    this.#settings = settings;
    this.#onProgress = onProgress;
    this.#stop = stop;
  }

  async run(): Promise<Measured> {
    const startedMs = performance.now();
    const { asking, scenarios: only } = this.#settings;
    const scenarios = scenariosFor(asking.method, only);
    const notRun: string[] = [];
    for (const [index, scenario] of scenarios.entries()) {
      const ways = this.#ways();
      for (const { way, tallies } of ways) {
        if (this.#isEnough()) break;
        const done = await this.#tries(scenario, way, { number: index + 1, of: scenarios.length });
        if (done.observations.length > 0) tallies.push(done);
      }
      if (!this.#direct.some((one) => one.scenario === scenario)) notRun.push(scenario.name);
    }
    return {
      direct: this.#direct,
      through: this.#through,
      notRun: this.#unreachable === null ? notRun : [],
      elapsedMs: performance.now() - startedMs,
      unreachable: this.#unreachable,
    };
  }

  #ways(): readonly { readonly way: DiagnosisProgress['way']; readonly tallies: Tally[] }[] {
    const direct = { way: 'direct', tallies: this.#direct } as const;
    return this.#settings.through === null ? [direct] : [direct, { way: 'through', tallies: this.#through }];
  }

  async #tries(
    scenario: Scenario,
    way: DiagnosisProgress['way'],
    place: { readonly number: number; readonly of: number },
  ): Promise<Tally> {
    const { tries } = this.#settings;
    const observations: Observation[] = [];
    while (observations.length < tries && !hasSeenEnough(observations)) {
      const { name, title } = scenario;
      this.#onProgress({ scenario: name, title, way, ...place, tried: observations.length, tries });
      const observation = await this.#try(scenario, way);
      if (outcomeOf(observation) === 'given-up') break;
      if (this.#isFirst(way, observations) && outcomeOf(observation) === 'unreachable') {
        this.#unreachable = this.#explain(observation, way);
        break;
      }
      observations.push(observation);
    }
    return tally(scenario, observations);
  }

  async #try(scenario: Scenario, way: DiagnosisProgress['way']): Promise<Observation> {
    const { asking, limits, through } = this.#settings;
    const elsewhere = way === 'through' && through !== null;
    const asked = elsewhere ? { ...asking, subject: redirected(asking.subject, through) } : asking;
    return await probe(asked, scenario.plan, limits, this.#stop);
  }

  #isFirst(way: DiagnosisProgress['way'], observations: readonly Observation[]): boolean {
    const tallies = way === 'direct' ? this.#direct : this.#through;
    return tallies.length === 0 && observations.length === 0;
  }

  #explain({ answer }: Observation, way: DiagnosisProgress['way']): string | null {
    const { asking, limits, through } = this.#settings;
    const target = way === 'through' && through !== null ? through : asking.subject.target;
    const { ending } = answer.evidence;
    return ending.kind === 'connect-failed'
      ? explainUnreachable(ending, targetUrl(target), limits.connectTimeoutMs)
      : null;
  }

  #isEnough(): boolean {
    if (this.#unreachable !== null || this.#stop.aborted) return true;
    const outcomes = [...this.#direct, ...this.#through].flatMap((one) => one.outcomes);
    return (
      countIn(outcomes, ...SLOW) >= SLOW_TRIES.ofAll || countIn(outcomes, 'endless') >= ENDLESS_TRIES.ofAll
    );
  }
}

function hasSeenEnough(observations: readonly Observation[]): boolean {
  const outcomes = observations.map(outcomeOf);
  const again = observations.filter(({ keepAlive }) => keepAlive === 'unanswered').length;
  return (
    countIn(outcomes, ...SLOW) + again >= SLOW_TRIES.ofScenario ||
    countIn(outcomes, 'endless') >= ENDLESS_TRIES.ofScenario
  );
}

function countIn(outcomes: readonly Outcome[], ...wanted: readonly Outcome[]): number {
  return outcomes.filter((outcome) => wanted.includes(outcome)).length;
}

/** Never rejects: whatever happens is an observation. `signal` ends it as if the client had gone. */
async function probe(
  asking: Asking,
  plan: Plan,
  limits: ProbeLimits,
  signal: AbortSignal,
): Promise<Observation> {
  const { connectTimeoutMs: timeoutMs, insecure } = limits;
  const startedMs = performance.now();
  const connecting = openConnection({ target: asking.subject.target, insecure, timeoutMs });
  const cancel = (): void => connecting.cancel();
  signal.addEventListener('abort', cancel);
  const result = await connecting.result;
  signal.removeEventListener('abort', cancel);
  if (result.kind === 'failed') {
    const endedMs = performance.now() - startedMs;
    const ending = signal.aborted ? CLIENT_GONE : connectFailed(result);
    return unconnected(ending, sendsBody(plan), endedMs);
  }
  const conversation = new Conversation(result.connection, { asking, plan, limits });
  const abort = (): void => conversation.abandon();
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  try {
    return await conversation.run();
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function unconnected(ending: Ending, withBody: boolean, endedMs: number): Observation {
  const evidence = evidenceOf(ending, { requestBody: withBody ? 'withheld' : 'none' });
  const answer: SeenAnswer = { evidence, verdict: judge(evidence), firstByteMs: null, endedMs };
  return {
    answer,
    interim: [],
    closed: { by: 'nobody', afterMs: endedMs },
    bodyRead: withBody ? 'not-sent' : 'no-body',
    headStartMs: null,
    keepAlive: 'not-asked',
    again: null,
  };
}
