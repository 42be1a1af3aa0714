/** The settings of a diagnosis, checked; all that is wrong is found at once. */

import { shown } from '../config/fault.ts';
import type { Fault, Origin } from '../config/fault.ts';
import type { Target } from '../config/settings.ts';
import { wrong } from '../config/option-type.ts';
import type { Parsed } from '../config/option-type.ts';
import {
  DIAGNOSE_OPTIONS,
  type DiagnoseOption,
  type DiagnoseOptionName,
  type OptionValues,
} from './options.ts';
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
  const reading = new Reading(sources);
  const subject = reading.check<Subject | null>(readUrl(sources.url.raw), null, {
    option: 'url',
    ...sources.url,
  });
  const bodySize = reading.take('bodySize');
  const asked = { method: reading.take('method'), fields: reading.take('headers') };
  const settings = {
    tries: reading.take('tries'),
    scenarios: reading.take('scenarios'),
    through: reading.take('through'),
    timeLimitMs: reading.take('timeLimit'),
    limits: {
      insecure: reading.take('insecure'),
      connectTimeoutMs: reading.take('connectTimeout'),
      timeoutMs: reading.take('timeout'),
      tryLimitMs: reading.take('tryLimit'),
      maxBodyBytes: reading.take('maxAnswer'),
    },
  };
  const faults = [...reading.faults, ...untimed(settings, sources)];
  if (subject === null || faults.length > 0) return { kind: 'faults', faults };
  const body = sources.body?.octets ?? Buffer.alloc(bodySize, FILLER);
  return { kind: 'settings', settings: { ...settings, asking: { subject, ...asked, body } } };
}

interface Where {
  readonly option: string;
  readonly raw: unknown;
  readonly origin: Origin;
}

/** Reads values, and goes on with the default where one is wrong, so that all faults are found. */
class Reading {
  readonly faults: Fault[] = [];
  readonly #sources: Sources;

  constructor(sources: Sources) {
    this.#sources = sources;
  }

  take<Name extends DiagnoseOptionName>(name: Name): OptionValues[Name] {
    const option: DiagnoseOption<OptionValues[Name]> = DIAGNOSE_OPTIONS[name];
    const raw = this.#sources.given[name];
    if (raw === undefined) return option.default;
    const origin = this.#sources.originOf(name);
    return this.check(option.type.parse(raw), option.default, { option: option.name, raw, origin });
  }

  check<T>(read: Parsed<T>, otherwise: T, { option, raw, origin }: Where): T {
    if (read.kind === 'value') return read.value;
    const { problem, remedy } = read;
    this.faults.push({ option, value: shown(raw) || null, origin, problem, remedy });
    return otherwise;
  }
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
