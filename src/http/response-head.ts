/** The parser of a response head (RFC 9112 sections 4 and 5), strict, small and total, and the grammar of a field line. */

import { trimOws } from './fields.ts';
import type { Fields } from './fields.ts';
import { quoted } from './quoted.ts';

export interface ResponseHead {
  readonly minor: 0 | 1;
  /** 100 to 999. */
  readonly status: number;
  readonly reason: string;
  readonly fields: Fields;
}

export type HeadResult =
  | { readonly kind: 'head'; readonly head: ResponseHead }
  | { readonly kind: 'malformed'; readonly why: string };

/**
 * The index after the head, or -1 when its end is not among `bytes` before `end`. It ends with the first empty line, whether its lines
 * end in CRLF, in LF or in both: what is wrong with them is for the parser to say, and waiting for a CRLF could take for ever.
 *
 * @param from where the bytes begin that were not searched before
 */
export function findHeadEnd(bytes: Buffer, from: number, end: number): number {
  const crlf = findBefore(bytes, '\n\r\n', from, end);
  const lf = findBefore(crlf < 0 ? bytes : bytes.subarray(0, crlf), '\n\n', from, end);
  return lf < 0 ? crlf : lf;
}

/** A mark may have begun before `from`, but only an end behind `from` is news. */
function findBefore(bytes: Buffer, mark: string, from: number, end: number): number {
  const at = bytes.indexOf(mark, Math.max(0, from - mark.length + 1), 'latin1');
  return at < 0 || at + mark.length > end ? -1 : at + mark.length;
}

/**
 * A status above 599 is accepted: RFC 9110 section 15 calls it invalid but wants it treated as a 5xx by the client, so
 * the client is shown it. A reason may be missing, with or without the space before it: real servers do both.
 */
const STATUS_LINE = /HTTP\/1\.[01] [1-9]\d\d(?: [\t\x20-\x7e\x80-\xff]*)?\r\n/y;

const CR = 0x0d;

/** Reads the head in [start, end), which includes the empty line at its end. Never throws. */
export function parseResponseHead(bytes: Buffer, start: number, end: number): HeadResult {
  const received = bytes.toString('latin1', start, end);
  const text = endsLinesInLf(received) ? received.replaceAll('\n', '\r\n') : received;
  STATUS_LINE.lastIndex = 0;
  if (!STATUS_LINE.test(text)) return { kind: 'malformed', why: explainStatusLine(lineAt(text, 0)) };
  const fieldsAt = STATUS_LINE.lastIndex;
  const fields = readFields(text.slice(fieldsAt));
  if (typeof fields === 'string') return { kind: 'malformed', why: fields };
  const minor = text.startsWith('0', 'HTTP/1.'.length) ? 0 : 1;
  const status = Number(text.slice(9, 12));
  const reason = text.slice(13, fieldsAt - 2);
  return { kind: 'head', head: { minor, status, reason, fields } };
}

/**
 * Whether all lines end in LF alone, as small servers write them, and as RFC 9112 section 2.2 lets a recipient take them. Where some
 * end in CRLF, an LF is more likely one that got into a field from outside: with it as the end of a line, whoever wrote it
 * would write fields.
 */
function endsLinesInLf(text: string): boolean {
  return text.charCodeAt(text.indexOf('\n') - 1) !== CR && !text.includes('\r');
}

/** Returns the fields, or why there are none. */
function readFields(received: string): string[] | string {
  if (/^[ \t]/.test(received)) return 'white space stands before its first field';
  const text = received.includes('\r\n ') || received.includes('\r\n\t') ? unfolded(received) : received;
  const fields: string[] = [];
  let at = 0;
  while (!text.startsWith('\r\n', at)) {
    FIELD_LINE.lastIndex = at;
    if (!FIELD_LINE.test(text)) return explainFieldLine(lineAt(text, at));
    const colon = text.indexOf(':', at);
    const next = FIELD_LINE.lastIndex;
    fields.push(text.slice(at, colon), trimOws(text.slice(colon + 1, next - 2)));
    at = next;
  }
  return at + 2 === text.length ? fields : explainFieldLine('');
}

/** One space for each fold and the white space around it (RFC 9112 section 5.2). */
function unfolded(text: string): string {
  return text
    .split(/\r\n[ \t]+/)
    .map(trimOws)
    .join(' ');
}

function explainStatusLine(line: string): string {
  if (line === '') return 'its first line is empty';
  if (/^[ \t]/.test(line)) return 'its first line begins with white space';
  const control = explainControl(line);
  if (control !== null) return control;
  if (!line.startsWith('HTTP/')) return `its first line is ${quoted(line)}, which does not begin with HTTP/`;
  if (!/^HTTP\/1\.[01](?!\S)/.test(line))
    return `its first line ${quoted(line)} does not begin with HTTP/1.1`;
  return `its first line ${quoted(line)} has no status of three digits from 100 to 999`;
}

/**
 * Sticky: it is tried only where `lastIndex` says. Spaces after the colon belong to the value here and are trimmed
 * later; as a part of their own they would make a long run of them take quadratic time.
 */
export const FIELD_LINE: RegExp = /[!#$%&'*+\-.^_`|~\dA-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n/y;

/** The line that begins at `at`, without its CRLF. */
function lineAt(text: string, at: number): string {
  const end = text.indexOf('\r\n', at);
  return end < 0 ? text.slice(at) : text.slice(at, end);
}

/** Why a line is not a field line: a clause for a sentence. */
export function explainFieldLine(line: string): string {
  if (line === '') return 'a line is empty in the middle of its fields';
  return explainControl(line) ?? explainName(line);
}

/** Why a line holds what no line may hold, or null: bare CR and LF (RFC 9112 section 2.2), NUL and other controls. */
export function explainControl(line: string): string | null {
  const at = line.search(/[^\t\x20-\x7e\x80-\xff]/);
  if (at < 0) return null;
  const code = line.charCodeAt(at);
  return `the line ${quoted(line)} holds ${CONTROL_NAMES.get(code) ?? `the control character 0x${code.toString(16).padStart(2, '0')}`}`;
}

const CONTROL_NAMES: ReadonlyMap<number, string> = new Map([
  [0x00, 'a NUL'],
  [0x0a, 'a bare LF'],
  [0x0d, 'a bare CR'],
]);

function explainName(line: string): string {
  const colon = line.indexOf(':');
  if (colon < 0) return `the line ${quoted(line)} has no colon`;
  const name = line.slice(0, colon);
  if (name === '') return `the line ${quoted(line)} has an empty field name`;
  if (/[ \t]/.test(name)) return `the field name ${quoted(name)} holds a space`;
  return `the field name ${quoted(name)} holds a character that no name may hold`;
}
