/** The types of options: how the value of each is read and written. */

import { METHODS } from 'node:http';
import { isIP } from 'node:net';
import { nearestName, parsed, wrong } from './fault.ts';
import type { Parsed } from './fault.ts';
import type { Target } from './settings.ts';
import { parseTarget, socketPathProblem, targetUrl } from './target.ts';
import { formatBytes, formatDuration, parseBytes, parseDuration } from './units.ts';

/** A value as a configuration file holds it. */
export type ConfigValue = string | number | boolean | null | readonly string[];

/** The part of JSON Schema that an option's value needs. */
export type JsonSchema = Readonly<Record<string, unknown>>;

export type Unit = 'bytes' | 'ms' | null;

/** `U` tells a time from a size: both are numbers. */
export interface OptionType<T, U extends Unit = null> {
  readonly unit: U;
  /** On the command line: no value, one value, or several. */
  readonly arity: 'switch' | 'value' | 'list';
  /** Stands for the value in help and documents: `SIZE`. */
  readonly placeholder: string;
  readonly schema: JsonSchema;
  /** Reads a value from a flag, a variable, a file or a program. */
  parse(raw: unknown): Parsed<T>;
  /** The shortest way to write `value`; `parse` reads it back to the same value. */
  format(value: T): ConfigValue;
}

interface Range {
  readonly min: number;
  readonly max: number;
}

/** The longest delay of a Node timer: a longer one fires at once (Node's documentation of `setTimeout`). */
const MAX_TIMER_MS = 2 ** 31 - 1;

const NO_VALUE = wrong('has no value', 'Add one, or leave the option out');

const SWITCH_WORDS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['yes', true],
  ['on', true],
  ['1', true],
  ['false', false],
  ['no', false],
  ['off', false],
  ['0', false],
]);

/** A port to listen on. */
export const port: OptionType<number> = wholeNumber('PORT', { min: 0, max: 65_535 });

/** A whole number between two limits. */
export function count(range: Range): OptionType<number> {
  return wholeNumber('NUMBER', range);
}

function wholeNumber(placeholder: string, range: Range): OptionType<number> {
  const schema = { type: 'integer', minimum: range.min, maximum: range.max };
  return single(placeholder, schema, (raw) =>
    within(
      fromText(raw, (text) =>
        /^[+-]?\d+$/.test(text) ? parsed(Number(text)) : wrong('is not a whole number', 'Write digits only'),
      ),
      range,
      String,
    ),
  );
}

/** One value that a configuration file holds as it is. */
export function single<T extends ConfigValue>(
  placeholder: string,
  schema: JsonSchema,
  parse: (raw: unknown) => Parsed<T>,
): OptionType<T> {
  return { unit: null, arity: 'value', placeholder, schema, parse, format: (value) => value };
}

/** A size, in bytes. */
export function size(range: Range): OptionType<number, 'bytes'> {
  return {
    unit: 'bytes',
    arity: 'value',
    placeholder: 'SIZE',
    schema: {
      type: ['string', 'integer'],
      pattern: '^\\s*\\d+(\\.\\d+)?\\s*([kKmMgGtT]?([iI]?[bB])?)\\s*$',
      minimum: range.min,
    },
    parse: (raw) => within(fromText(raw, parseBytes), range, formatBytes),
    format: (bytes) => (bytes === 0 ? 0 : formatBytes(bytes)),
  };
}

/** A time, in ms. 0 is always allowed; each option's description says what it means there. */
export const duration: OptionType<number, 'ms'> = {
  unit: 'ms',
  arity: 'value',
  placeholder: 'TIME',
  schema: {
    type: ['string', 'integer'],
    pattern: '^\\s*(0+|\\d+(\\.\\d+)?\\s*(ms|[sSmMhHdD]|MS))\\s*$',
    maximum: 0,
    minimum: 0,
  },
  parse: (raw) => within(fromText(raw, parseDuration), { min: 0, max: MAX_TIMER_MS }, formatDuration),
  format: (ms) => (ms === 0 ? 0 : formatDuration(ms)),
};

export const onOff: OptionType<boolean> = {
  unit: null,
  arity: 'switch',
  placeholder: '',
  schema: { type: 'boolean' },
  parse: (raw) => {
    const value = SWITCH_WORDS.get(String(raw).trim().toLowerCase());
    return value === undefined ? wrong('is neither true nor false', 'Write true or false') : parsed(value);
  },
  format: (value) => value,
};

/** One of a few words. */
export function choice<const W extends string>(...words: readonly W[]): OptionType<W> {
  return single(words.join('|'), { enum: words }, (raw) =>
    fromText(raw, (text) => {
      const word = words.find((candidate) => candidate === text.toLowerCase());
      if (word !== undefined) return parsed(word);
      const nearest = nearestName(text, words);
      const remedy = nearest === null ? 'Use one of them' : `Did you mean ${nearest}?`;
      return wrong(`is not one of ${words.join(', ')}`, remedy);
    }),
  );
}

export const target: OptionType<Target> = {
  unit: null,
  arity: 'value',
  placeholder: 'URL',
  schema: { type: ['string', 'integer'], minLength: 1, minimum: 1, maximum: 65_535 },
  parse: (raw) => fromText(raw, parseTarget),
  format: targetUrl,
};

/** An address or host name to listen on. */
export const host: OptionType<string> = single('HOST', { type: 'string', minLength: 1 }, (raw) =>
  fromText(raw, parseHost),
);

/** A file or folder; null when there is none. */
export const path: OptionType<string | null> = single(
  'PATH',
  { type: ['string', 'null'], minLength: 1 },
  (raw) => (raw === null ? parsed(null) : fromText(raw, parsePath)),
);

/** A unix socket to listen on; null when there is none. */
export const socketPath: OptionType<string | null> = {
  ...path,
  parse: (raw) => {
    const read = path.parse(raw);
    if (read.kind === 'wrong' || read.value === null) return read;
    const problem = socketPathProblem(read.value);
    return problem === null ? read : wrong(problem, 'Write the full path of a socket: /run/lastbyte.sock');
  },
};

/** Refuses a list or a mapping. */
function fromText<T>(raw: unknown, read: (text: string) => Parsed<T>): Parsed<T> {
  if (typeof raw === 'string') {
    const text = raw.trim();
    return text === '' ? NO_VALUE : read(text);
  }
  if (typeof raw === 'number') return read(String(raw));
  if (typeof raw === 'boolean') return wrong('is only for switches', 'Write a value');
  if (raw === null || raw === undefined) return NO_VALUE;
  return wrong('is more than one value', 'Write exactly one');
}

function within(read: Parsed<number>, range: Range, show: (value: number) => string): Parsed<number> {
  if (read.kind === 'wrong') return read;
  const limits = `Use ${show(range.min)} to ${show(range.max)}`;
  if (read.value < range.min) return wrong(`is below the minimum of ${show(range.min)}`, limits);
  if (read.value > range.max) return wrong(`is above the maximum of ${show(range.max)}`, limits);
  return read;
}

function parseHost(text: string): Parsed<string> {
  const bare = text.replace(/^\[(.*)\]$/, '$1');
  if (isIP(bare) !== 0) return parsed(bare);
  if (bare.includes('/')) return wrong('is a URL or a path', 'Write only a host name or an IP address');
  if (bare.includes(':')) return wrong('includes a port', 'Set the port with its own option');
  // Only digits and dots: a mistyped IPv4 address, which would be looked up as a name and not found.
  if (/^[\d.]+$/.test(bare)) return wrong('is not an IPv4 address', 'Write four numbers, such as 127.0.0.1');
  if (!/^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_.])?$/i.test(bare))
    return wrong('is not a host name', 'Write a host name or an IP address');
  return parsed(bare);
}

function parsePath(text: string): Parsed<string> {
  return text.includes('\0') ? wrong('contains a NUL character', 'Remove it') : parsed(text);
}

/** A method, or either half of a media type (RFC 9110 section 5.6.2). */
export const TOKEN: string = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const METHOD = new RegExp(`^${TOKEN}$`);
const MEDIA_TYPE = new RegExp(`^${TOKEN}/${TOKEN}$`);

/** A proxy must not repeat these on its own (RFC 9110 section 9.2.2). */
const NEVER_REPEATED: ReadonlySet<string> = new Set(['POST', 'PATCH', 'CONNECT']);

export const trustedPeers: OptionType<readonly string[]> = list('ADDRESS,…', parsePeer);
export const methods: OptionType<readonly string[]> = list('METHOD,…', parseMethod);
export const streamed: OptionType<readonly string[]> = list('PATH|TYPE,…', parseStreamed);

type ReadEntry = (text: string) => Parsed<string>;

/** Text is split at commas; a file's list and a repeated flag are already lists. Empty text is the empty list. */
function list(placeholder: string, read: ReadEntry): OptionType<readonly string[]> {
  return {
    unit: null,
    arity: 'list',
    placeholder,
    schema: { type: ['array', 'string'], items: { type: 'string', minLength: 1 } },
    parse: (raw) => parseEntries(entriesOf(raw), read),
    format: (value) => value,
  };
}

function entriesOf(raw: unknown): readonly unknown[] {
  if (Array.isArray(raw)) return raw.flatMap((entry: unknown) => entriesOf(entry));
  if (typeof raw !== 'string') return [raw];
  const text = raw.trim();
  return text === '' ? [] : text.split(',').map((entry) => entry.trim());
}

function parseEntries(entries: readonly unknown[], read: ReadEntry): Parsed<readonly string[]> {
  const values: string[] = [];
  for (const entry of entries) {
    if (typeof entry !== 'string')
      return wrong('is not a list of words', 'Write a list, or words separated by commas');
    if (entry === '') return wrong('has an empty entry', 'Remove the extra comma');
    const result = read(entry);
    if (result.kind === 'wrong') return wrong(inList(entries, entry, result.problem), result.remedy);
    if (!values.includes(result.value)) values.push(result.value);
  }
  return parsed(values);
}

/** With several entries, names the faulty one. */
function inList(entries: readonly unknown[], entry: string, problem: string): string {
  return entries.length === 1 ? problem : `contains "${entry}", which ${problem}`;
}

function parsePeer(text: string): Parsed<string> {
  const [address = '', prefix, ...surplus] = text.split('/');
  const family = isIP(address);
  if (family === 0 || surplus.length > 0) {
    return wrong(
      'is neither an IP address nor a CIDR block',
      'Write an address such as 10.0.0.7, or a block such as 10.0.0.0/8 or fd00::/8',
    );
  }
  const bits = family === 4 ? 32 : 128;
  if (prefix !== undefined && !(/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits)) {
    return wrong(`has an invalid prefix length, "${prefix}"`, `For IPv${family}, use 0 to ${bits}`);
  }
  return parsed(text);
}

function parseMethod(text: string): Parsed<string> {
  const method = text.toUpperCase();
  if (NEVER_REPEATED.has(method)) {
    return wrong(
      'cannot be retried by its method alone',
      'Send an Idempotency-Key with each request that may be retried',
    );
  }
  if (METHODS.includes(method)) return parsed(method);
  const nearest = nearestName(
    method,
    METHODS.filter((known) => !NEVER_REPEATED.has(known)),
  );
  const guess = nearest === null ? 'Write a method such as GET or PUT' : `Did you mean ${nearest}?`;
  return wrong(METHOD.test(method) ? 'is not a method that Node.js accepts' : 'is not a method', guess);
}

function parseStreamed(text: string): Parsed<string> {
  if (/[\s\0]/.test(text))
    return wrong('contains white space', 'In a path, write %20; leave out the parameters of a media type');
  if (text.startsWith('/')) {
    return /[?#]/.test(text)
      ? wrong('contains a query or a fragment', 'Write only the path: /events/')
      : parsed(text);
  }
  if (MEDIA_TYPE.test(text)) return parsed(text.toLowerCase());
  return wrong(
    'is neither a path nor a media type',
    'Write a path such as /events/, or a media type such as text/x-log',
  );
}
