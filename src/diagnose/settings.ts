/** The options of a diagnosis, and the settings that they resolve to. */

import { nearestName, parsed, shown, wrong } from '../config/fault.ts';
import type { Fault, Origin, Parsed } from '../config/fault.ts';
import { count, duration, onOff, single, size, target, TOKEN } from '../config/types.ts';
import type { ConfigValue, OptionType, Unit } from '../config/types.ts';
import type { Target } from '../config/settings.ts';
import { GIB, MIB, MINUTE_MS, SECOND_MS } from '../config/units.ts';
import { fieldValue } from '../http/fields.ts';
import type { ProbeLimits } from './probe.ts';
import { parseSubject, SCENARIO_FIELDS } from './request.ts';
import type { RequestTemplate, Subject } from './request.ts';
import { SCENARIOS } from './scenarios.ts';

export interface DiagnoseOption<T> {
  /** As a flag, without its dashes. */
  readonly name: string;
  readonly type: OptionType<T, Unit>;
  readonly default: T;
  /** The default as a person would write it. */
  readonly written: ConfigValue;
  /** One sentence. */
  readonly purpose: string;
}

const METHOD = new RegExp(`^${TOKEN}$`);
const FIELD = new RegExp(`^(?<name>${TOKEN}):[ \\t]*(?<value>[\\t\\x20-\\x7e\\x80-\\xff]*)$`);

/** Methods whose response says nothing about how a server closes. */
const NOT_ASKED: ReadonlySet<string> = new Set(['CONNECT', 'TRACE']);

const method: OptionType<string> = single('METHOD', { type: 'string' }, (raw) => {
  const text = typeof raw === 'string' ? raw.trim() : '';
  if (!METHOD.test(text)) return wrong('is not a method', 'Write a method such as GET, POST or PUT');
  if (NOT_ASKED.has(text.toUpperCase()))
    return wrong('cannot be diagnosed', 'Write a method such as GET or POST');
  return parsed(text.toUpperCase());
});

function list(
  placeholder: string,
  read: (text: string) => Parsed<readonly string[]>,
): OptionType<readonly string[]> {
  return {
    unit: null,
    arity: 'list',
    placeholder,
    schema: { type: 'array' },
    parse: (raw) => {
      const values: string[] = [];
      for (const one of Array.isArray(raw) ? raw.map(String) : [String(raw)]) {
        const result = read(one);
        if (result.kind === 'wrong') return result;
        values.push(...result.value);
      }
      return parsed(values);
    },
    format: (value) => value,
  };
}

/** A flat list, like `Fields`. */
const header: OptionType<readonly string[]> = list('FIELD', (text) => {
  const groups = FIELD.exec(text)?.groups;
  if (groups === undefined) return wrong('is not a header', "Write it as 'Name: value'");
  const { name = '', value = '' } = groups;
  if (SCENARIO_FIELDS.some((own) => fieldValue([name, value], own) !== undefined)) {
    return wrong('is set by each scenario', `Leave out ${SCENARIO_FIELDS.join(', ')}`);
  }
  return parsed([name, value.trim()]);
});

const scenario: OptionType<readonly string[]> = list('NAME,…', (text) => {
  const names = SCENARIOS.map(({ name }) => name);
  const given = text.split(',').map((name) => name.trim());
  const unknown = given.find((name) => !names.includes(name));
  if (unknown === undefined) return parsed(given);
  const nearest = nearestName(unknown, names);
  return wrong(
    given.length === 1 ? 'is not a scenario' : `includes "${unknown}", which is not a scenario`,
    nearest === null ? `The scenarios are ${names.join(', ')}` : `Did you mean ${nearest}?`,
  );
});

/** Null: none. */
function optional<T>(type: OptionType<T, Unit>): OptionType<T | null, Unit> {
  return {
    ...type,
    parse: (raw) => (raw === null ? parsed(null) : type.parse(raw)),
    format: (value) => (value === null ? null : type.format(value)),
  };
}

/** Without a limit of time, a diagnosis might never end. */
const timeLimit: OptionType<number, 'ms'> = {
  ...duration,
  parse: (raw) => {
    const read = duration.parse(raw);
    return read.kind === 'value' && read.value === 0
      ? wrong('sets no limit', 'Write a time such as 500ms or 5s, because a diagnosis has to end')
      : read;
  },
};

/** More than any server reads at once (Python's asyncio reads 256 KiB), so that some of it stays unread. */
const DEFAULT_BODY_BYTES = MIB;

/** Checks that the default fits the type. */
function row<T>(name: string, type: OptionType<T, Unit>, preset: T, purpose: string): DiagnoseOption<T> {
  return { name, type, default: preset, written: type.format(preset), purpose };
}

/** The options by their names in a program, with the types of their values. */
export interface OptionValues {
  readonly method: string;
  readonly headers: readonly string[];
  readonly bodySize: number;
  readonly tries: number;
  readonly scenarios: readonly string[];
  readonly through: Target | null;
  readonly insecure: boolean;
  readonly connectTimeout: number;
  readonly timeout: number;
  readonly tryLimit: number;
  readonly timeLimit: number;
  readonly maxAnswer: number;
}

export type DiagnoseOptionName = keyof OptionValues;

export const DIAGNOSE_OPTIONS: { readonly [Name in DiagnoseOptionName]: DiagnoseOption<OptionValues[Name]> } =
  {
    method: row('method', method, 'GET', 'Method of the requests that have a body.'),
    headers: row('header', header, [], "Header for every request, as 'Name: value'; may be repeated."),
    bodySize: row(
      'body-size',
      size({ min: 1, max: 64 * MIB }),
      DEFAULT_BODY_BYTES,
      'Size of the request body when there is no --data.',
    ),
    tries: row('tries', count({ min: 1, max: 1000 }), 10, 'Number of tries per scenario.'),
    scenarios: row('scenario', scenario, [], 'Run only these scenarios.'),
    through: row(
      'through',
      optional(target),
      null,
      'Send the same requests through a running lastbyte as well, and compare.',
    ),
    insecure: row('insecure', onOff, false, 'Skip certificate verification.'),
    connectTimeout: row('connect-timeout', timeLimit, 5 * SECOND_MS, 'How long connecting may take.'),
    timeout: row(
      'timeout',
      timeLimit,
      5 * SECOND_MS,
      'How long a server may be silent before it counts as hung.',
    ),
    tryLimit: row('try-limit', timeLimit, 10 * SECOND_MS, 'How long one response may take.'),
    timeLimit: row('time-limit', timeLimit, 2 * MINUTE_MS, 'How long the whole diagnosis may take.'),
    maxAnswer: row('max-answer', size({ min: 1, max: 64 * GIB }), 256 * MIB, 'Largest response to read.'),
  };

export const DIAGNOSE_OPTION_NAMES: readonly DiagnoseOptionName[] =
  Object.keys(DIAGNOSE_OPTIONS).filter(isOptionName);

export function isOptionName(name: string): name is DiagnoseOptionName {
  return Object.hasOwn(DIAGNOSE_OPTIONS, name);
}

export interface DiagnoseSettings {
  readonly template: RequestTemplate;
  readonly limits: ProbeLimits;
  readonly tries: number;
  readonly scenarios: readonly string[];
  readonly through: Target | null;
  readonly timeLimitMs: number;
}

/** What was given, as written, and where. */
export interface Sources {
  readonly url: { readonly raw: unknown; readonly origin: Origin };
  readonly values: Readonly<Partial<Record<DiagnoseOptionName, unknown>>>;
  /** The request body; null: filler. */
  readonly body: { readonly bytes: Buffer } | null;
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
  const { faults } = reading;
  if (subject === null || faults.length > 0) return { kind: 'faults', faults };
  const body = sources.body?.bytes ?? Buffer.alloc(bodySize, FILLER);
  return { kind: 'settings', settings: { ...settings, template: { subject, ...asked, body } } };
}

interface Where {
  readonly option: string;
  readonly raw: unknown;
  readonly origin: Origin;
}

/** Reads values, and continues with the default if one is wrong, so that all faults are found. */
class Reading {
  readonly faults: Fault[] = [];
  readonly #sources: Sources;

  constructor(sources: Sources) {
    this.#sources = sources;
  }

  take<Name extends DiagnoseOptionName>(name: Name): OptionValues[Name] {
    const option: DiagnoseOption<OptionValues[Name]> = DIAGNOSE_OPTIONS[name];
    const raw = this.#sources.values[name];
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
  return wrong('is missing', 'Write the address to diagnose: http://127.0.0.1:8000/report');
}
