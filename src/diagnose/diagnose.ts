/** A diagnosis from its address to its report: runs the scenarios one after the other, within its time. */

import { ConfigError } from '../config/config-error.ts';
import { scenariosFor } from './catalogue.ts';
import type { Observation } from './observation.ts';
import { outcomeOf, type Outcome } from './outcome.ts';
import { probe } from './probe.ts';
import { report, type DiagnosisReport, type Measured } from './report.ts';
import type { Scenario } from './scenario.ts';
import { resolveSettings, type DiagnoseSettings, type Given } from './settings.ts';
import { redirected } from './subject.ts';
import { isOptionName } from './options.ts';
import { tally, type Tally } from './tally.ts';
import { explainUnreachable } from './unreachable.ts';

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

/** Times are in ms or written (`5s`), sizes in bytes or written (`100kb`). */
export interface DiagnoseOptions {
  /** The method of the requests that have a body. An unsafe one is sent as often as there are tries. @default 'GET' */
  readonly method?: string;
  /** Fields of every request, each as `Name: value`. @default [] */
  readonly headers?: readonly string[];
  /** The body. @default filler of `bodySize` */
  readonly data?: string | Uint8Array;
  /** @default '100kb' */
  readonly bodySize?: number | string;
  /** Tries of each scenario. @default 10 */
  readonly tries?: number;
  /** Names of the scenarios to run. @default all */
  readonly scenarios?: readonly string[];
  /** The address of a running lastbyte that gets the same requests. */
  readonly through?: string;
  /** Accept a certificate that cannot be verified. @default false */
  readonly insecure?: boolean;
  /** @default '5s' */
  readonly connectTimeout?: number | string;
  /** Silence that counts as a hang. @default '5s' */
  readonly timeout?: number | string;
  /** Longest time of one answer. @default '10s' */
  readonly tryLimit?: number | string;
  /** Longest time of all together. @default '2m' */
  readonly timeLimit?: number | string;
  /** Largest answer to read. @default '256mb' */
  readonly maxAnswer?: number | string;
  readonly onProgress?: (progress: DiagnosisProgress) => void;
  /** Ends the diagnosis early; the report then has what was seen until then. */
  readonly signal?: AbortSignal;
}

/**
 * Asks the server at `url` in all the ways in which clients ask, on raw sockets of its own, and says whether it closes
 * connections too early, how, and what would help. Never rejects because of the server: one that cannot be reached is
 * a report too, with the verdict `unreachable`.
 *
 * @param url `http://127.0.0.1:8000/report`, `https://…`, `8000/report`, `unix:/run/app.sock:/report`
 * @throws ConfigError with everything that is wrong with the address and the options, at once
 */
export async function diagnose(url: string, options: DiagnoseOptions = {}): Promise<DiagnosisReport> {
  const { data, onProgress = () => undefined, signal, ...rest } = options;
  const given: Given = Object.fromEntries(
    Object.entries(rest)
      .filter(([name, raw]: [string, unknown]) => isOptionName(name) && raw !== undefined)
      .map(([name, raw]: [string, unknown]) => [name, inUnit(name, raw)]),
  );
  const result = resolveSettings({
    url: { raw: url, origin: { kind: 'argument', name: 'url' } },
    given,
    body: data === undefined ? null : { octets: Buffer.from(data) },
    originOf: (name) => ({ kind: 'property', name }),
  });
  if (result.kind === 'faults') throw new ConfigError(result.faults);
  return await runDiagnosis(result.settings, onProgress, signal);
}

/** The same, with settings that hold. */
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
/** The same for answers without an end: each takes the whole limit of a try. */
const ENDLESS_TRIES = { ofScenario: 1, ofAll: 2 } as const;
const SLOW: readonly Outcome[] = ['silent', 'stalled'];

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

  #explain({ answer }: Observation, way: DiagnosisProgress['way']): string {
    const { asking, limits, through } = this.#settings;
    const target = way === 'through' && through !== null ? through : asking.subject.target;
    return explainUnreachable(answer.evidence, target, limits.connectTimeoutMs);
  }

  #isEnough(): boolean {
    if (this.#unreachable !== null || this.#stop.aborted) return true;
    const outcomes = this.#direct.flatMap((one) => one.outcomes);
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
    countIn(outcomes, 'endless') >= ENDLESS_TRIES.ofScenario ||
    countIn(outcomes, 'unreachable') >= SLOW_TRIES.ofScenario
  );
}

function countIn(outcomes: readonly Outcome[], ...wanted: readonly Outcome[]): number {
  return outcomes.filter((outcome) => wanted.includes(outcome)).length;
}

/** Programs count times in ms, as Node does; people must name the unit. */
function inUnit(name: string, raw: unknown): unknown {
  return typeof raw === 'number' && /timeout|limit/i.test(name) ? `${raw}ms` : raw;
}
