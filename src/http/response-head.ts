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
 * The index after the head, or -1 when `bytes` before `end` do not include its end. The head ends at the first empty line,
 * whether its lines end in CRLF, LF or both: the parser reports wrong line ends, and a CRLF may never arrive.
 *
 * @param from index of the first byte that was not searched before
 */
export function findHeadEnd(bytes: Buffer, from: number, end: number): number {
  const crlf = findBefore(bytes, '\n\r\n', from, end);
  const lf = findBefore(crlf < 0 ? bytes : bytes.subarray(0, crlf), '\n\n', from, end);
  return lf < 0 ? crlf : lf;
}

/** A mark may begin before `from`, because it may have arrived in parts. */
function findBefore(bytes: Buffer, mark: string, from: number, end: number): number {
  const at = bytes.indexOf(mark, Math.max(0, from - mark.length + 1), 'latin1');
  return at < 0 || at + mark.length > end ? -1 : at + mark.length;
}

/**
 * A status above 599 is forwarded: RFC 9110 section 15 calls it invalid, but says that clients should treat it as a 5xx.
 * The reason may be missing, with or without the space before it: real servers send both.
 */
const STATUS_LINE = /HTTP\/1\.[01] [1-9]\d\d(?: [\t\x20-\x7e\x80-\xff]*)?\r\n/y;

const CR = 0x0d;

/** Parses the head in [start, end), including the empty line at its end. Never throws. */
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
 * Whether all lines end in a bare LF, as some small servers write them and as RFC 9112 section 2.2 allows a recipient to
 * accept. Where some lines end in CRLF, a bare LF was probably injected into a field value: accepted as a line end, it
 * would let an attacker add fields.
 */
function endsLinesInLf(text: string): boolean {
  return text.charCodeAt(text.indexOf('\n') - 1) !== CR && !text.includes('\r');
}

/** Returns the fields, or why they cannot be parsed. */
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

/** Replaces each fold and the white space around it with one space (RFC 9112 section 5.2). */
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
 * Sticky: it matches only at `lastIndex`. Spaces after the colon belong to the value here and are trimmed later; a
 * separate part for them would take quadratic time on a long run of spaces.
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

/** Names the control character in a line, if any: bare CR and LF (RFC 9112 section 2.2), NUL and others. */
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
