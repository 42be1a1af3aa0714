/**
 * Takes secrets out of what looks like members of JSON, wherever it stands: whole, cut, in a string of other JSON, in a
 * script, in an attribute of a page, in a dict of Python or a hash of Ruby that somebody printed.
 */

import { isSecretName } from '../http/quoted.ts';

export const REDACTED = '[redacted]';

/**
 * A quotation mark as JSON, scripts, pages and Python's dicts have it, also inside a string (then with backslashes before
 * it), as an escape of JavaScript, or as an entity of HTML.
 */
const QUOTE: string = String.raw`\\{0,16}(?:["']|(?<=\\)u002[27]|&quot;|&#3[49];|&#x2[27];)`;

/** What is no name of a JSON member but of an attribute, an argument, a variable; only what is quoted is its value. */
const BARE_NAME = String.raw`(?<![\w$.-])([\w$.-]{1,100})(?=\s{0,20}(?:[:=]|=>|=&gt;)\s{0,20}(?:${QUOTE}))`;
const MEMBER = String.raw`(?:(${QUOTE})((?:(?!\1)[^<>{}\n]){1,200})\1|${BARE_NAME})\s{0,20}(?::|=>|=&gt;|=)\s{0,20}`;

/**
 * `"access_token": …`, `\"access_token\": …`, `'access_token' => …`, `access_token = "…"`: the value is replaced as a whole, an
 * array or an object too. Linear in the length of the text; a text without such names stays as it is.
 */
export function redactMembers(text: string): string {
  if (!/["'\\]|&(?:quot|#)/i.test(text)) return text;
  const member = new RegExp(MEMBER, 'gi');
  let shown = '';
  let at = 0;
  for (let found = member.exec(text); found !== null; found = member.exec(text)) {
    const [, quote = '"', quotedName, bareName = ''] = found;
    const valueAt = member.lastIndex;
    if (!isSecretMember(quotedName ?? bareName)) continue;
    const end = endOfValue(text, valueAt);
    if (end === valueAt) continue;
    const mark = quoteAt(text, valueAt) || quote;
    shown += `${text.slice(at, valueAt)}${mark}${REDACTED}${mark}`;
    at = end;
    member.lastIndex = end;
  }
  return shown + text.slice(at);
}

/** `accesskey` is an attribute of HTML: a letter of the keyboard. */
function isSecretMember(name: string): boolean {
  return isSecretName(unescapedString(name, ESCAPES)) && name !== 'accesskey';
}

/** The text of a JSON string; total. @param escape what begins one */
export function unescapedString(text: string, escape: RegExp = ESCAPE): string {
  if (!text.includes('\\')) return text;
  return text.replace(escape, (_, code: string | undefined, character: string) =>
    code === undefined ? (CONTROLS[character] ?? character) : String.fromCharCode(Number.parseInt(code, 16)),
  );
}

const ESCAPE = /\\(?:u([0-9a-f]{4})|(.?))/gis;
/** However often the string was put into another. */
const ESCAPES = /\\+(?:u([0-9a-f]{4})|(.?))/gis;
const CONTROLS: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' };

const OPENING = new RegExp(QUOTE, 'iy');

/** The quotation mark that begins at `at`; empty: there is none. */
function quoteAt(text: string, at: number): string {
  OPENING.lastIndex = at;
  return OPENING.exec(text)?.[0] ?? '';
}

/**
 * Where the text in quotation marks ends, the closing one included; the end of the text if it never does.
 *
 * @param from after the opening one
 */
export function endOfQuoted(text: string, from: number, quote: string): number {
  const mark = quote.replace(/^\\+/, '');
  const depth = quote.length - mark.length;
  for (let at = text.indexOf(mark, from); at >= 0; at = text.indexOf(mark, at + mark.length)) {
    const before = backslashesBefore(text, at, from);
    // A string within a string doubles its backslashes and gives its marks one more: 0, 1, 3, 7 … before a mark close it.
    if (before < depth || before % (2 * (depth + 1)) === depth) return at + mark.length;
  }
  return text.length;
}

function backslashesBefore(text: string, at: number, from: number): number {
  let first = at;
  while (first > from && text[first - 1] === '\\') first -= 1;
  return at - first;
}

/** Where the value that begins at `at` ends: what is quoted, an array or an object, or a word. */
export function endOfValue(text: string, at: number): number {
  const quote = quoteAt(text, at);
  if (quote !== '') return endOfQuoted(text, at + quote.length, quote);
  if (text[at] === '{' || text[at] === '[') return endOfBrackets(text, at);
  WORD.lastIndex = at;
  return at + (WORD.exec(text)?.[0].length ?? 0);
}

const WORD = /[\w.+-]*/y;

/** Brackets in quotation marks count for nothing; what is never closed ends with the text. */
function endOfBrackets(text: string, from: number): number {
  const token = new RegExp(`[{}[\\]]|${QUOTE}`, 'gi');
  token.lastIndex = from;
  let open = 0;
  for (let found = token.exec(text); found !== null; found = token.exec(text)) {
    const [what] = found;
    if (what === '{' || what === '[') open += 1;
    else if (what !== '}' && what !== ']') token.lastIndex = endOfQuoted(text, token.lastIndex, what);
    else if ((open -= 1) === 0) return token.lastIndex;
  }
  return text.length;
}
