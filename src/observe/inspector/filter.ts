/** Which exchanges a query asks for: read from its parameters, and tested on each row. */

import { pathStreams } from '../../http/streaming.ts';
import { OUTCOMES, SEVERITIES, VERDICTS } from '../severity.ts';
import type { Row } from './types.ts';

export interface Filter {
  readonly limit: number;
  readonly before: number;
  /** Whether there is any parameter besides `limit` and `before`. */
  readonly narrows: boolean;
  readonly passes: (row: Row) => boolean;
}

export interface FilterFault {
  readonly parameter: string;
  readonly detail: string;
}

type Test = (row: Row) => boolean;

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 500;

/** The parameters that filter: each returns a test for its value, or a sentence about what the value should be. */
const NARROWING: ReadonlyMap<string, (value: string) => Test | string> = new Map<
  string,
  (value: string) => Test | string
>([
  ['method', (value) => anyOf(list(value.toUpperCase()), (row) => row.method)],
  ['status', statusTest],
  ['verdict', (value) => oneOf(value, VERDICTS, (row) => row.verdict)],
  ['outcome', (value) => oneOf(value, OUTCOMES, (row) => row.outcome)],
  ['severity', (value) => oneOf(value, [...SEVERITIES, 'running'], (row) => row.severity)],
  ['path', pathTest],
  ['text', textTest],
  ['problems', problemsTest],
]);

/** @param also further parameters, which the caller reads */
export function readFilter(parameters: URLSearchParams, also: readonly string[] = []): Filter | FilterFault {
  const tests: Test[] = [];
  let limit = DEFAULT_LIMIT;
  let before = Infinity;
  for (const [parameter, value] of parameters) {
    if (also.includes(parameter)) continue;
    if (parameter === 'limit' || parameter === 'before') {
      const most = parameter === 'limit' ? MAX_LIMIT : Number.MAX_SAFE_INTEGER;
      const number = wholeNumber(value, most);
      if (number === null) return { parameter, detail: `${parameter} is a whole number from 1 to ${most}.` };
      if (parameter === 'limit') limit = number;
      else before = number;
      continue;
    }
    const made = NARROWING.get(parameter)?.(value) ?? unknownParameter(also);
    if (typeof made === 'string') return { parameter, detail: made };
    tests.push(made);
  }
  return { limit, before, narrows: tests.length > 0, passes: (row) => tests.every((test) => test(row)) };
}

function unknownParameter(also: readonly string[]): string {
  const known = ['limit', 'before', ...NARROWING.keys(), ...also];
  return `There is no such parameter. There are: ${known.join(', ')}.`;
}

function wholeNumber(value: string, most: number): number | null {
  const number = /^\d{1,16}$/.test(value) ? Number(value) : 0;
  return number >= 1 && number <= most ? number : null;
}

function list(value: string): string[] {
  return value.split(',').map((one) => one.trim());
}

function anyOf(words: readonly string[], of: (row: Row) => string | null): Test {
  return (row) => words.includes(of(row) ?? '');
}

function oneOf(value: string, known: readonly string[], of: (row: Row) => string | null): Test | string {
  const words = list(value);
  if (words.some((word) => !known.includes(word))) return `It is a list of these: ${known.join(', ')}.`;
  return anyOf(words, of);
}

/** `404`, `5xx`, `200-299`. */
function statusTest(value: string): Test | string {
  const ranges = list(value).map((one) => {
    const match = /^(?:(\d)xx|(\d{3})(?:-(\d{3}))?)$/i.exec(one);
    if (match === null) return null;
    const [, hundreds, from = '', to = from] = match;
    return hundreds === undefined
      ? { from: Number(from), to: Number(to) }
      : { from: Number(hundreds) * 100, to: Number(hundreds) * 100 + 99 };
  });
  const known = ranges.flatMap((range) => (range === null ? [] : [range]));
  if (known.length < ranges.length) return 'It is a list of statuses: 404, 5xx or 200-299.';
  return ({ status }) => status !== null && known.some(({ from, to }) => status >= from && status <= to);
}

function pathTest(value: string): Test | string {
  if (!value.startsWith('/')) return 'It is the beginning of a path, so it begins with /.';
  return ({ path }) => pathStreams(path, [value]);
}

function textTest(value: string): Test {
  const wanted = value.toLowerCase();
  return (row) => {
    const { method, path, status, client, verdict, outcome, error, why, type } = row;
    const texts = [method, path, String(status ?? ''), client, verdict, outcome, error, why, type];
    return texts.some((text) => text?.toLowerCase().includes(wanted) === true);
  };
}

function problemsTest(value: string): Test | string {
  if (value !== '1') return 'It is 1, or left out.';
  return ({ severity }) => severity !== 'ok' && severity !== 'running';
}
