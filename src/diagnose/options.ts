/** The options of a diagnosis: one table for the command line, its help, and programs. */

import { fieldValue } from '../http/fields.ts';
import { parsed, wrong } from '../config/option-type.ts';
import type { OptionType, Parsed, Unit } from '../config/option-type.ts';
import { nearestName } from '../config/nearest.ts';
import { count, duration, onOff, size, target } from '../config/scalar-types.ts';
import type { Target } from '../config/settings.ts';
import { GIB, MIB, MINUTE_MS, SECOND_MS } from '../config/units.ts';
import { SCENARIOS } from './scenarios.ts';
import { SCENARIO_FIELDS } from './request-octets.ts';

export interface DiagnoseOption<T> {
  /** As a flag, without its dashes. */
  readonly name: string;
  readonly type: OptionType<T, Unit>;
  readonly default: T;
  /** One sentence. */
  readonly purpose: string;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/;
const FIELD = /^(?<name>[!#$%&'*+\-.^_`|~\dA-Za-z]+):[ \t]*(?<value>[\t\x20-\x7e\x80-\xff]*)$/;

/** Methods that are no question to a server of HTTP/1.1, or none that has an answer of its own. */
const NOT_ASKED: ReadonlySet<string> = new Set(['CONNECT', 'TRACE']);

const method: OptionType<string> = {
  unit: null,
  arity: 'value',
  placeholder: 'METHOD',
  schema: { type: 'string' },
  parse: (raw) => {
    const text = typeof raw === 'string' ? raw.trim() : '';
    if (!TOKEN.test(text)) return wrong('is not a method', 'Write a method such as GET, POST or PUT');
    if (NOT_ASKED.has(text.toUpperCase()))
      return wrong('tells nothing about closing', 'Write a method such as GET or POST');
    return parsed(text.toUpperCase());
  },
  format: (value) => value,
};

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

/** Flat, as `Fields` are. */
const header: OptionType<readonly string[]> = list('FIELD', (text) => {
  const groups = FIELD.exec(text)?.groups;
  if (groups === undefined) return wrong('is not a field', "Write it as 'Name: value'");
  const { name = '', value = '' } = groups;
  if (SCENARIO_FIELDS.some((own) => fieldValue([name, value], own) !== undefined)) {
    return wrong('is set by the scenarios', `Leave out ${SCENARIO_FIELDS.join(', ')}`);
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
    'names no scenario',
    nearest === null ? `There are ${names.join(', ')}` : `Did you mean ${nearest}?`,
  );
});

/** Null stands for "none". */
function optional<T>(type: OptionType<T, Unit>): OptionType<T | null, Unit> {
  return { ...type, parse: (raw) => (raw === null ? parsed(null) : type.parse(raw)), format: String };
}

/** More than any server reads in one go: Python's asyncio takes 256 KiB, and only what is more stays unread. */
const DEFAULT_BODY_BYTES = MIB;

/** Keeps the type of each row's value. */
function option<T>(name: string, type: OptionType<T, Unit>, preset: T, purpose: string): DiagnoseOption<T> {
  return { name, type, default: preset, purpose };
}

/** Each option's name in a program, and what its value is. */
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
    method: option('method', method, 'GET', 'The method of the requests that have a body.'),
    headers: option('header', header, [], "A field of every request, as 'Name: value'; may be repeated."),
    bodySize: option(
      'body-size',
      size({ min: 1, max: 64 * MIB }),
      DEFAULT_BODY_BYTES,
      'Size of the body that is sent when there is no --data.',
    ),
    tries: option('tries', count({ min: 1, max: 1000 }), 10, 'Tries of each scenario.'),
    scenarios: option('scenario', scenario, [], 'Run only these scenarios.'),
    through: option(
      'through',
      optional(target),
      null,
      'Put the same requests through a running lastbyte too, and compare.',
    ),
    insecure: option('insecure', onOff, false, 'Accept a certificate that cannot be verified.'),
    connectTimeout: option(
      'connect-timeout',
      duration,
      5 * SECOND_MS,
      'Longest time to wait for a connection.',
    ),
    timeout: option('timeout', duration, 5 * SECOND_MS, 'Silence that counts as a hang.'),
    tryLimit: option('try-limit', duration, 10 * SECOND_MS, 'Longest time of one answer.'),
    timeLimit: option('time-limit', duration, 2 * MINUTE_MS, 'Longest time of all together.'),
    maxAnswer: option('max-answer', size({ min: 1, max: 64 * GIB }), 256 * MIB, 'Largest answer to read.'),
  };

export const DIAGNOSE_OPTION_NAMES: readonly DiagnoseOptionName[] =
  Object.keys(DIAGNOSE_OPTIONS).filter(isOptionName);

export function isOptionName(name: string): name is DiagnoseOptionName {
  return Object.hasOwn(DIAGNOSE_OPTIONS, name);
}
