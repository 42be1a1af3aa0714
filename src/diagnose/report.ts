/** The report of a diagnosis, from tallies to a verdict, as the value that is printed as JSON. Pure. */

import { targetUrl } from '../config/target.ts';
import { roundedBytes, grouped } from '../config/units.ts';
import { isSafe } from '../http/request.ts';
import type { Study } from './detect.ts';
import { findingsOf } from './findings.ts';
import type { Finding } from './findings.ts';
import {
  column,
  isWhole,
  largestBytes,
  OUTCOMES,
  observationsOf,
  sum,
  triesOf,
  wholeCount,
  worstLoss,
} from './tally.ts';
import type { Column, Tally } from './tally.ts';
import { curlCan, curlCommand, subjectUrl } from './request.ts';
import type { DiagnoseSettings } from './settings.ts';

/**
 * - `fault`: the server cuts responses short, or does something else that loses them
 * - `no-fault`: no such fault was seen
 * - `inconclusive`: too little was seen to decide
 * - `unreachable`: no connection
 */
export type DiagnosisVerdict = 'fault' | 'no-fault' | 'inconclusive' | 'unreachable';

/** What one scenario showed, directly and, with `--through`, through lastbyte. */
export interface ScenarioReport {
  readonly name: string;
  readonly title: string;
  readonly purpose: string;
  readonly method: string;
  readonly direct: Column;
  readonly through: Column | null;
}

/** Stable: under the same `schema`, fields may be added, but none is removed or changes its meaning. */
export interface DiagnosisReport {
  readonly schema: 1;
  readonly url: string;
  /** The method of requests with a body. */
  readonly method: string;
  readonly bodyBytes: number;
  /** How often a method that is not safe (RFC 9110 section 9.2.1) was sent. */
  readonly unsafeRequests: number;
  /** The requested number of tries per scenario. */
  readonly tries: number;
  readonly verdict: DiagnosisVerdict;
  /** The verdict in words. */
  readonly summary: string;
  readonly findings: readonly Finding[];
  readonly scenarios: readonly ScenarioReport[];
  /** Names of scenarios that were skipped, for lack of time or because they would show nothing new. */
  readonly notRun: readonly string[];
  readonly through: ThroughReport | null;
  /** A command that reproduces the worst fault; null: there is no fault, or curl cannot reproduce it. */
  readonly curl: string | null;
  readonly elapsedMs: number;
}

export interface ThroughReport {
  readonly url: string;
  readonly findings: readonly Finding[];
  /** The difference, in words. */
  readonly summary: string;
}

export interface Measured {
  readonly direct: readonly Tally[];
  /** Empty unless `--through` is set. */
  readonly through: readonly Tally[];
  readonly notRun: readonly string[];
  readonly elapsedMs: number;
  /** Why it could not be reached; null: it could. */
  readonly unreachable: string | null;
}

export function report(settings: DiagnoseSettings, measured: Measured): DiagnosisReport {
  const { template, tries } = settings;
  const { direct, notRun, elapsedMs, unreachable } = measured;
  const study = studyOf(settings, direct);
  const findings = unreachable === null ? findingsOf(study) : [];
  const verdict = unreachable === null ? verdictOf(findings, notRun) : 'unreachable';
  return {
    schema: 1,
    url: subjectUrl(template.subject),
    method: template.method,
    bodyBytes: template.body.length,
    unsafeRequests: unsafeRequests(settings, measured),
    tries,
    verdict,
    summary: unreachable ?? summaryOf(verdict, findings, measured),
    findings,
    scenarios: scenarioReports(settings, measured),
    notRun,
    through: throughReport(settings, measured),
    curl: curlFor(settings, study, findings),
    elapsedMs: Math.round(elapsedMs),
  };
}

function unsafeRequests({ template }: DiagnoseSettings, { direct, through }: Measured): number {
  if (isSafe(template.method)) return 0;
  const sent = [...direct, ...through].filter(({ scenario }) => scenario.plan.method === 'given');
  return sum(sent, triesOf);
}

function studyOf({ template, limits }: DiagnoseSettings, tallies: readonly Tally[]): Study {
  return { tallies, method: template.method, bodyBytes: template.body.length, timeoutMs: limits.timeoutMs };
}

function verdictOf(findings: readonly Finding[], notRun: readonly string[]): DiagnosisVerdict {
  if (findings.some(({ severity }) => severity === 'fault')) return 'fault';
  return notRun.length > 0 || findings.some(({ code }) => code === 'endless') ? 'inconclusive' : 'no-fault';
}

function summaryOf(
  verdict: DiagnosisVerdict,
  findings: readonly Finding[],
  { direct, notRun }: Measured,
): string {
  const all = sum(direct, triesOf);
  const whole = sum(direct, wholeCount);
  const worst = findings.find(({ severity }) => severity === 'fault');
  if (verdict === 'fault' && worst !== undefined)
    return [worst.what, worst.cure].filter((text) => text !== null).join(' ');
  const seen = `${grouped(whole)} of ${grouped(all)} responses arrived complete, the largest ${roundedBytes(largestBytes(direct))}`;
  if (verdict === 'no-fault') return `No fault found: ${seen}, and no connection was reset.`;
  const missing = notRun.length === 0 ? '' : ` ${grouped(notRun.length)} scenarios were not run.`;
  const endless = findings.find(({ code }) => code === 'endless');
  return `No verdict: ${seen}.${missing}${endless === undefined ? '' : ` ${endless.what}`}`;
}

/** The command that reproduces the worst fault; null: there is no fault, or none that curl can reproduce. */
function curlFor(
  { template, limits }: DiagnoseSettings,
  study: Study,
  findings: readonly Finding[],
): string | null {
  const fault = findings.find(({ severity }) => severity === 'fault');
  const shown = study.tallies.filter(
    ({ scenario }) => fault?.scenarios.includes(scenario.name) && curlCan(scenario.plan),
  );
  const lost = (one: Tally): number => worstLoss([one], study.tallies)?.lostBytes ?? 0;
  const [worst] = [...shown].sort((a, b) => lost(b) - lost(a));
  if (worst === undefined) return null;
  const { insecure, tryLimitMs: limitMs } = limits;
  return curlCommand(template, worst.scenario.plan, { insecure, limitMs });
}

function scenarioReports(
  { template }: DiagnoseSettings,
  { direct, through }: Measured,
): readonly ScenarioReport[] {
  return direct.map((one) => {
    const { name, title, purpose, plan } = one.scenario;
    const beside = through.find(({ scenario }) => scenario.name === name);
    return {
      name,
      title,
      purpose,
      method: plan.method === 'GET' ? 'GET' : template.method,
      direct: column(one, direct),
      through: beside === undefined ? null : column(beside, through),
    };
  });
}

function throughReport(settings: DiagnoseSettings, { direct, through }: Measured): ThroughReport | null {
  if (settings.through === null || through.length === 0) return null;
  const total = (tallies: readonly Tally[]): string =>
    `${grouped(sum(tallies, servedCount))} of ${grouped(sum(tallies, triesOf))}`;
  const refused = sum(through, (one) => wholeCount(one) - servedCount(one));
  const url = targetUrl(settings.through);
  return {
    url,
    findings: findingsOf(studyOf(settings, through)),
    summary: `Complete responses: ${total(direct)} directly, ${total(through)} through ${url}.${refused === 0 ? '' : ` Through it, ${grouped(refused)} were refused with a status of 5xx.`}`,
  };
}

/** Complete responses that are not refusals: a complete 502 in place of a truncated response does not count. */
function servedCount(one: Tally): number {
  const whole = observationsOf(one, ...OUTCOMES.filter(isWhole));
  return whole.filter(({ response: { evidence } }) => (evidence.head?.status ?? 0) < 500).length;
}
