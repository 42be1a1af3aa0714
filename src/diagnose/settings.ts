/** The settings of a diagnosis, checked; all that is wrong is found at once. */

import { shown, type Fault } from '../config/fault.ts';
import type { Origin } from '../config/origin.ts';
import type { Target } from '../config/settings.ts';
import { wrong, type Parsed } from '../config/parsed.ts';
import { DIAGNOSE_OPTIONS, type DiagnoseOption, type DiagnoseOptionName } from './options.ts';
import type { ProbeLimits } from './conversation.ts';
import type { Asking } from './request-octets.ts';
import { parseSubject, type Subject } from './subject.ts';

export interface DiagnoseSettings {
  readonly asking: Asking;
  readonly limits: ProbeLimits;
  readonly tries: number;
  readonly scenarios: readonly string[];
  readonly through: Target | null;
  readonly timeLimitMs: number;
}

export type Given = Readonly<Partial<Record<DiagnoseOptionName, unknown>>>;

/** What was given, as it was written, and how its places are named to whoever wrote it. */
export interface Sources {
  readonly url: { readonly raw: unknown; readonly origin: Origin };
  readonly given: Given;
  /** The request's body; null: filler of the body's size. */
  readonly body: { readonly octets: Buffer } | null;
  readonly originOf: (name: DiagnoseOptionName) => Origin;
}

export type SettingsResult =
  | { readonly kind: 'settings'; readonly settings: DiagnoseSettings }
  | { readonly kind: 'faults'; readonly faults: readonly Fault[] };

const FILLER = 'u';

export function resolveSettings(sources: Sources): SettingsResult {
  const faults: Fault[] = [];
  const take = <T>(name: DiagnoseOptionName, option: DiagnoseOption<T>): T => {
    const raw = sources.given[name];
    if (raw === undefined) return option.default;
    return check(option.kind.parse(raw), option.default, {
      option: option.name,
      raw,
      origin: sources.originOf(name),
    });
  };
  const check = <T>(read: Parsed<T>, otherwise: T, where: Where): T => {
    if (read.kind === 'value') return read.value;
    const { problem, remedy } = read;
    faults.push({
      option: where.option,
      value: shown(where.raw) || null,
      origin: where.origin,
      problem,
      remedy,
    });
    return otherwise;
  };
  const { url } = sources;
  const subject = check<Subject | null>(readUrl(url.raw), null, { option: 'url', ...url });
  const options = DIAGNOSE_OPTIONS;
  const bodySize = take('bodySize', options.bodySize);
  const settings = {
    method: take('method', options.method),
    fields: take('headers', options.headers),
    tries: take('tries', options.tries),
    scenarios: take('scenarios', options.scenarios),
    through: take('through', options.through),
    timeLimitMs: take('timeLimit', options.timeLimit),
    limits: {
      insecure: take('insecure', options.insecure),
      connectTimeoutMs: take('connectTimeout', options.connectTimeout),
      timeoutMs: take('timeout', options.timeout),
      tryLimitMs: take('tryLimit', options.tryLimit),
      maxBodyBytes: take('maxAnswer', options.maxAnswer),
    },
  };
  faults.push(...untimed(settings, sources));
  if (subject === null || faults.length > 0) return { kind: 'faults', faults };
  const { method, fields, ...rest } = settings;
  const body = sources.body?.octets ?? Buffer.alloc(bodySize, FILLER);
  return { kind: 'settings', settings: { ...rest, asking: { subject, method, fields, body } } };
}

interface Where {
  readonly option: string;
  readonly raw: unknown;
  readonly origin: Origin;
}

function readUrl(raw: unknown): Parsed<Subject> {
  if (typeof raw === 'string' || typeof raw === 'number') return parseSubject(String(raw));
  return wrong('is missing', 'Write the address to ask: http://127.0.0.1:8000/report');
}

/** Without a clock a diagnosis might never end. */
function untimed(
  { limits, timeLimitMs }: { readonly limits: ProbeLimits; readonly timeLimitMs: number },
  { originOf }: Sources,
): readonly Fault[] {
  const clocks: readonly (readonly [DiagnoseOptionName, number])[] = [
    ['connectTimeout', limits.connectTimeoutMs],
    ['timeout', limits.timeoutMs],
    ['tryLimit', limits.tryLimitMs],
    ['timeLimit', timeLimitMs],
  ];
  return clocks
    .filter(([, ms]) => ms === 0)
    .map(([name]) => ({
      option: DIAGNOSE_OPTIONS[name].name,
      value: '0',
      origin: originOf(name),
      problem: 'is no time',
      remedy: 'Write a time such as 500ms or 5s: a diagnosis has to end',
    }));
}
