/** Parses the head of a response: strict, total, and never by exception. */

import type { Fields } from './fields.ts';

export interface ResponseHead {
  /** HTTP/1.minor. */
  readonly minor: 0 | 1;
  readonly status: number;
  readonly reason: string;
  readonly fields: Fields;
}

export type HeadResult =
  | { readonly kind: 'head'; readonly head: ResponseHead }
  /** `why` is a clause for a sentence. */
  | { readonly kind: 'malformed'; readonly why: string };

const HEAD_END = Buffer.from('\r\n\r\n');

/** The index behind the empty line that ends a head, or -1. `from`: what lies before was searched already. */
export function findHeadEnd(bytes: Buffer, from: number, end: number): number {
  const at = bytes.indexOf(HEAD_END, Math.max(0, from - 3));
  return at < 0 || at + 4 > end ? -1 : at + 4;
}

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?$/;
const FIELD_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/;
const OBS_FOLD = /[ \t]*\r\n[ \t]+/g;

/** `bytes` from `start` to `end` is the head with its empty line. */
export function parseResponseHead(bytes: Buffer, start: number, end: number): HeadResult {
  const text = bytes.toString('latin1', start, end - 4);
  const firstEnd = text.indexOf('\r\n');
  const statusLine = firstEnd < 0 ? text : text.slice(0, firstEnd);
  const parsed = STATUS_LINE.exec(statusLine);
  if (parsed === null) return malformed(`its status line is ${show(statusLine)}`);
  const fields: string[] = [];
  if (firstEnd >= 0) {
    const block = text.slice(firstEnd + 2);
    if (block.startsWith(' ') || block.startsWith('\t'))
      return malformed('its first field line begins with a space');
    for (const line of unfolded(block).split('\r\n')) {
      const field = FIELD_LINE.exec(line);
      if (field === null) return malformed(fieldFault(line));
      fields.push(field[1] ?? '', field[2] ?? '');
    }
  }
  const [, minor, status, reason = ''] = parsed;
  return { kind: 'head', head: { minor: minor === '0' ? 0 : 1, status: Number(status), reason, fields } };
}

/** A folded line is one line (RFC 9112 section 5.2). */
function unfolded(block: string): string {
  return block.includes('\r\n ') || block.includes('\r\n\t') ? block.replace(OBS_FOLD, ' ') : block;
}

function fieldFault(line: string): string {
  const colon = line.indexOf(':');
  if (colon < 0) return `the field line ${show(line)} has no colon`;
  const name = line.slice(0, colon);
  if (name === '') return `the field line ${show(line)} has no name`;
  if (/\s/.test(name)) return `the field name ${show(name)} holds a space`;
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name))
    return `the field name ${show(name)} holds a character that no name may`;
  return `the value of the field ${show(name)} holds a control character`;
}

function malformed(why: string): HeadResult {
  return { kind: 'malformed', why };
}

/** Shortened, control characters escaped. */
function show(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
