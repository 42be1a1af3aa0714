/** The types of option whose value is a list. */

import { METHODS } from 'node:http';
import { isIP } from 'node:net';
import { nearestName } from './fault.ts';
import { parsed, wrong } from './option-type.ts';
import type { OptionType, Parsed } from './option-type.ts';

/** RFC 9110 section 5.6.2: what a method, and each half of a media type, is made of. */
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const METHOD = new RegExp(`^${TOKEN}$`);
const MEDIA_TYPE = new RegExp(`^${TOKEN}/${TOKEN}$`);

/** RFC 9110 section 9.2.2: a proxy must not repeat these on its own. */
const NEVER_REPEATED: ReadonlySet<string> = new Set(['POST', 'PATCH', 'CONNECT']);

export const trustedPeers: OptionType<readonly string[]> = list(
  'ADDRESS,…',
  parsePeer,
  'A comma separates addresses',
);
export const methods: OptionType<readonly string[]> = list(
  'METHOD,…',
  parseMethod,
  'A comma separates methods',
);
export const streamed: OptionType<readonly string[]> = list(
  'PATH|TYPE,…',
  parseStreamed,
  'A comma separates entries',
);

type ReadEntry = (text: string) => Parsed<string>;

/** Text is cut at commas; a file's list and a repeated flag are lists already. The empty text is the empty list. */
function list(placeholder: string, read: ReadEntry, hint: string): OptionType<readonly string[]> {
  return {
    unit: null,
    arity: 'list',
    placeholder,
    schema: { type: ['array', 'string'], items: { type: 'string', minLength: 1 } },
    parse: (raw) => parseEntries(entriesOf(raw), read, hint),
    format: (value) => value,
  };
}

function entriesOf(raw: unknown): readonly unknown[] {
  if (Array.isArray(raw)) return raw.flatMap((entry: unknown) => entriesOf(entry));
  if (typeof raw !== 'string') return [raw];
  const text = raw.trim();
  return text === '' ? [] : text.split(',').map((entry) => entry.trim());
}

function parseEntries(entries: readonly unknown[], read: ReadEntry, hint: string): Parsed<readonly string[]> {
  const values: string[] = [];
  for (const entry of entries) {
    if (typeof entry !== 'string')
      return wrong('is not a list of words', `Write a list, or one line: ${hint}`);
    const result: Parsed<string> =
      entry === '' ? wrong('is empty', `Remove the surplus comma: ${hint.toLowerCase()}`) : read(entry);
    if (result.kind === 'wrong') return wrong(inList(entries, entry, result.problem), result.remedy);
    if (!values.includes(result.value)) values.push(result.value);
  }
  return parsed(values);
}

/** Of several entries, say which. */
function inList(entries: readonly unknown[], entry: string, problem: string): string {
  return entries.length === 1 ? problem : `holds "${entry}", which ${problem}`;
}

function parsePeer(text: string): Parsed<string> {
  const [address = '', prefix, ...surplus] = text.split('/');
  const family = isIP(address);
  if (family === 0 || surplus.length > 0) {
    return wrong('is neither an address nor a CIDR block', 'Write it as 10.0.0.7, 10.0.0.0/8 or fd00::/8');
  }
  const bits = family === 4 ? 32 : 128;
  if (prefix !== undefined && !(/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits)) {
    return wrong(`has the prefix length "${prefix}"`, `For IPv${family} it is from 0 to ${bits}`);
  }
  return parsed(text);
}

function parseMethod(text: string): Parsed<string> {
  const method = text.toUpperCase();
  if (NEVER_REPEATED.has(method)) {
    return wrong('must not be repeated', 'Send an Idempotency-Key with each request that may be repeated');
  }
  if (METHODS.includes(method)) return parsed(method);
  const nearest = nearestName(
    method,
    METHODS.filter((known) => !NEVER_REPEATED.has(known)),
  );
  const guess = nearest === null ? 'Write a method such as GET or PUT' : `Did you mean ${nearest}?`;
  return wrong(METHOD.test(method) ? 'is not a method that can be received' : 'is not a method', guess);
}

function parseStreamed(text: string): Parsed<string> {
  if (/[\s\0]/.test(text))
    return wrong('holds white space', 'Write %20 in a path, and a type without parameters');
  if (text.startsWith('/')) {
    return /[?#]/.test(text)
      ? wrong('holds a query or a fragment', 'Write the path alone: /events/')
      : parsed(text);
  }
  if (MEDIA_TYPE.test(text)) return parsed(text.toLowerCase());
  return wrong('is neither a path nor a media type', 'Write a path as /events/ and a type as text/x-log');
}
