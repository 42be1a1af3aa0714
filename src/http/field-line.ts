/** The grammar of one field line (RFC 9112 section 5), and what is wrong with a line that does not obey it. */

import { quoted } from './quoted.ts';

/**
 * Sticky: it is tried only where `lastIndex` says. Spaces after the colon belong to the value here and are trimmed
 * later; as a part of their own they would make a long run of them take quadratic time.
 */
export const FIELD_LINE: RegExp = /[!#$%&'*+\-.^_`|~\dA-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n/y;

/** The line that begins at `at`, without its CRLF. */
export function lineAt(text: string, at: number): string {
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
