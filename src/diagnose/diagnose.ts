/** A diagnosis: runs the scenarios one after the other within the time limit, and skips tries that would show nothing new. */

import { ConfigError, nearestName } from '../config/fault.ts';
import type { Fault } from '../config/fault.ts';
import { targetUrl } from '../config/target.ts';
import { explainUnreachable } from '../exchange/explain.ts';
import { probe } from './probe.ts';
import { report } from './report.ts';
import type { DiagnosisReport, Measured } from './report.ts';
import { redirected } from './request.ts';
import type { RequestTemplate } from './request.ts';
import { scenariosFor } from './scenarios.ts';
import type { Scenario } from './scenarios.ts';
import { DIAGNOSE_OPTION_NAMES, isOptionName, resolveSettings } from './settings.ts';
import type { DiagnoseSettings } from './settings.ts';
import type { Observation, Outcome, Tally } from './tally.ts';

/** Times are in ms or written (`5s`), sizes in bytes or written (`100kb`). */
export interface DiagnoseOptions {
  /** The method of requests with a body. An unsafe method is sent for real in every try. @default 'GET' */
  readonly method?: string;
  /** Header fields for every request, each as `Name: value`. @default [] */
  readonly headers?: readonly string[];
  /** The request body. @default filler of `bodySize` */
  readonly data?: string | Uint8Array;
  /** @default '1mb' */
  readonly bodySize?: number | string;
  /** Tries of each scenario. @default 10 */
  readonly tries?: number;
  /** Names of the scenarios to run. @default all */
  readonly scenarios?: readonly string[];
  /** The address of a running lastbyte, to which the same requests are sent. */
  readonly through?: string;
  /** Accept a certificate that cannot be verified. @default false */
  readonly insecure?: boolean;
  /** @default '5s' */
  readonly connectTimeout?: number | string;
  /** How long a server may be silent before it counts as hung. @default '5s' */
  readonly timeout?: number | string;
  /** How long one response may take. @default '10s' */
  readonly tryLimit?: number | string;
  /** How long the whole diagnosis may take. @default '2m' */
  readonly timeLimit?: number | string;
  /** Largest response to read. @default '256mb' */
  readonly maxAnswer?: number | string;
  readonly onProgress?: (progress: DiagnosisProgress) => void;
  /** Ends the diagnosis early; the report has what was seen until then. */
  readonly signal?: AbortSignal;
}

/**
 * Sends requests to the server at `url` the way different clients do, over raw sockets, and reports whether it closes
 * connections too early, how, and what would help. Never rejects because of the server: if it cannot be reached, the report
 * has the verdict `unreachable`.
 *
 * @param url `http://127.0.0.1:8000/report`, `https://…`, `8000/report`, `unix:/run/app.sock:/report`
 * @throws ConfigError with everything that is wrong with the address and the options
 */
export async function diagnose(url: string, options: DiagnoseOptions = {}): Promise<DiagnosisReport> {
  const { data, onProgress = () => undefined, signal, ...rest } = options;
  const entries = Object.entries(rest).filter(([, raw]: [string, unknown]) => raw !== undefined);
  const result = resolveSettings({
    url: { raw: url, origin: { kind: 'argument', name: 'url' } },
    values: Object.fromEntries(entries.map(([name, raw]: [string, unknown]) => [name, inUnit(name, raw)])),
    body: data === undefined ? null : { bytes: Buffer.from(data) },
    originOf: (name) => ({ kind: 'property', name }),
  });
  const faults = [...unknownProperties(entries), ...(result.kind === 'faults' ? result.faults : [])];
  if (result.kind === 'faults' || faults.length > 0) throw new ConfigError(faults);
  return await runDiagnosis(result.settings, onProgress, signal);
}

/** A caller without types may pass anything. */
function unknownProperties(entries: readonly (readonly [string, unknown])[]): readonly Fault[] {
  return entries
    .filter(([name]) => !isOptionName(name))
    .map(([name]) => {
      const nearest = nearestName(name, DIAGNOSE_OPTION_NAMES);
      return {
        option: name,
        value: null,
        origin: { kind: 'property', name },
        problem: 'is not an option of diagnose',
        remedy: nearest === null ? 'DiagnoseOptions lists them all' : `Did you mean ${nearest}?`,
      };
    });
}

/** In a program a number is ms, as in Node; elsewhere a time needs its unit. */
function inUnit(name: string, raw: unknown): unknown {
  return typeof raw === 'number' && /timeout|limit/i.test(name) ? `${raw}ms` : raw;
}

/** How far a diagnosis has got. */
export interface DiagnosisProgress {
  readonly scenario: string;
  readonly title: string;
  readonly way: 'direct' | 'through';
  /** Which of all scenarios, from 1. */
  readonly number: number;
  readonly of: number;
  readonly tried: number;
  readonly tries: number;
}

/** Runs a diagnosis with valid settings. */
export async function runDiagnosis(
  settings: DiagnoseSettings,
  onProgress: (progress: DiagnosisProgress) => void,
  signal?: AbortSignal,
): Promise<DiagnosisReport> {
  const timeIsOver = AbortSignal.timeout(settings.timeLimitMs);
  const stop = signal === undefined ? timeIsOver : AbortSignal.any([timeIsOver, signal]);
  return report(settings, await new Diagnosis(settings, onProgress, stop).run());
}

/** How many tries may time out, in one scenario and in all: more would show nothing new. */
const SLOW_TRIES = { ofScenario: 2, ofAll: 6 } as const;
/** The same for endless responses: each takes the whole time of a try. */
const ENDLESS_TRIES = { ofScenario: 1, ofAll: 2 } as const;
const SLOW: readonly Outcome[] = ['silent', 'stalled', 'unreachable'];

/** Where the requests go: to the server, or through lastbyte. */
interface Way {
  readonly name: DiagnosisProgress['way'];
  readonly template: RequestTemplate;
  readonly tallies: Tally[];
}

class Diagnosis {
  readonly #settings: DiagnoseSettings;
  readonly #onProgress: (progress: DiagnosisProgress) => void;
  readonly #stop: AbortSignal;
  readonly #direct: Way;
  readonly #through: Way | null;
  #unreachable: string | null = null;

  constructor(
    settings: DiagnoseSettings,
    onProgress: (progress: DiagnosisProgress) => void,
    stop: AbortSignal,
  ) {
    const { template, through } = settings;
    this.#settings = settings;
    this.#onProgress = onProgress;
    this.#stop = stop;
    this.#direct = { name: 'direct', template, tallies: [] };
    this.#through =
      through === null ? null : { name: 'through', template: redirected(template, through), tallies: [] };
  }

  async run(): Promise<Measured> {
    const startedMs = performance.now();
    const scenarios = scenariosFor(this.#settings.template.method, this.#settings.scenarios);
    const ways = this.#through === null ? [this.#direct] : [this.#direct, this.#through];
    for (const [index, scenario] of scenarios.entries()) {
      for (const way of ways) {
        if (this.#isEnough()) break;
        const done = await this.#tries(scenario, way, { number: index + 1, of: scenarios.length });
        if (done.observations.length > 0) way.tallies.push(done);
      }
    }
    const direct = this.#direct.tallies;
    const missing = scenarios.filter((scenario) => !direct.some((one) => one.scenario === scenario));
    return {
      direct,
      through: this.#through?.tallies ?? [],
      notRun: this.#unreachable === null ? missing.map(({ name }) => name) : [],
      elapsedMs: performance.now() - startedMs,
      unreachable: this.#unreachable,
    };
  }

  async #tries(
    scenario: Scenario,
    { name: way, template, tallies }: Way,
    place: Pick<DiagnosisProgress, 'number' | 'of'>,
  ): Promise<Tally> {
    const { tries, limits } = this.#settings;
    const { name, title, plan } = scenario;
    const observations: Observation[] = [];
    while (observations.length < tries && !hasSeenEnough(observations)) {
      this.#onProgress({ scenario: name, title, way, ...place, tried: observations.length, tries });
      const observation = await probe({ template, plan, limits }, this.#stop);
      if (observation.outcome === 'given-up') break;
      const { ending } = observation.response.evidence;
      const isFirst = tallies.length === 0 && observations.length === 0;
      if (isFirst && ending.kind === 'connect-failed') {
        const url = targetUrl(template.subject.target);
        this.#unreachable = explainUnreachable(ending, url, limits.connectTimeoutMs);
        break;
      }
      observations.push(observation);
    }
    return { scenario, observations };
  }

  #isEnough(): boolean {
    if (this.#unreachable !== null || this.#stop.aborted) return true;
    const tallies = [...this.#direct.tallies, ...(this.#through?.tallies ?? [])];
    const seen = tallies.flatMap(({ observations }) => observations);
    return countIn(seen, ...SLOW) >= SLOW_TRIES.ofAll || countIn(seen, 'endless') >= ENDLESS_TRIES.ofAll;
  }
}

function hasSeenEnough(observations: readonly Observation[]): boolean {
  const unanswered = observations.filter(({ keepAlive }) => keepAlive === 'unanswered').length;
  return (
    countIn(observations, ...SLOW) + unanswered >= SLOW_TRIES.ofScenario ||
    countIn(observations, 'endless') >= ENDLESS_TRIES.ofScenario
  );
}

function countIn(observations: readonly Observation[], ...wanted: readonly Outcome[]): number {
  return observations.filter(({ outcome }) => wanted.includes(outcome)).length;
}
