/** The parser of a response head (RFC 9112 sections 4 and 5): strict, small and total. */

import { explainControl, explainFieldLine, FIELD_LINE, lineAt } from './field-line.ts';
import type { Fields } from './fields.ts';
import { trimOws } from './fields.ts';
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

/** Ends of heads whose lines end in bare LF: the parser refuses them. */
const WRONG_ENDS: readonly string[] = ['\n\n', '\n\r\n'];

/**
 * The index just behind the head, or -1 when its end is not among `bytes` before `end`. A head that ends with bare LFs
 * ends too: waiting for its CRLF could take for ever, and the parser can say what is wrong with it.
 *
 * @param from where the bytes begin that were not searched before
 */
export function findHeadEnd(bytes: Buffer, from: number, end: number): number {
  const right = findBefore(bytes, '\r\n\r\n', from, end);
  if (right >= 0) return right;
  const wrong = WRONG_ENDS.map((mark) => findBefore(bytes, mark, from, end)).filter((index) => index >= 0);
  return wrong.length === 0 ? -1 : Math.min(...wrong);
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

/** Reads the head in [start, end), which includes the empty line at its end. Never throws. */
export function parseResponseHead(bytes: Buffer, start: number, end: number): HeadResult {
  const text = bytes.toString('latin1', start, end);
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
