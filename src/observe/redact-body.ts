/**
 * Redacts secrets in bodies that are shown, by their names. Forms, multipart and JSON are parsed, even if incomplete or without
 * a declared type; links and HTML inputs are found anywhere.
 */

import { isSecretName, isSecretParameter } from '../http/quoted.ts';
import {
  endOfQuoted,
  endOfValue,
  percentDecoded,
  REDACTED,
  redactForm,
  redactMembers,
  redactParameters,
  redactUrl,
  unescapedString,
} from './redact.ts';

/** Nested strings are parsed this deep; beyond it, only patterns are searched. */
const MAX_NESTING = 3;

/** Linear in the length of the text. A text without secrets does not change. */
export function redactBody(text: string, mediaType: string): string {
  if (mediaType === 'application/x-www-form-urlencoded') return redactForm(text);
  const delimiter = multipartDelimiter(text, mediaType);
  if (delimiter !== null) return redactMultipart(text, delimiter);
  return redactText(UNTYPED.has(mediaType) ? redactFormLines(text) : text, mediaType, MAX_NESTING);
}

/** Types that say nothing about the content. */
const UNTYPED: ReadonlySet<string> = new Set(['', 'text/plain', 'application/octet-stream']);

function redactText(text: string, mediaType: string, nesting: number): string {
  if (!isJson(text, mediaType)) return redactTags(redactLinks(redactMembers(text)));
  const parsed = redactJson(text, nesting);
  // Complete JSON needs nothing more; what is cut off, or only looks like JSON, does.
  return isWholeJson(text) ? parsed : redactTags(redactLinks(redactMembers(parsed)));
}

function isWholeJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Lines that look like a form, a text/plain form, or a settings file. */
function redactFormLines(text: string): string {
  return text.replace(/^[^\s=&<>{}()"'?]{1,200}=.*$/gm, redactForm);
}

function isJson(text: string, mediaType: string): boolean {
  return /json/.test(mediaType) || /^\s*[[{"]/.test(text.slice(0, 200));
}

/** Reads strings in order, so that a string in another is never taken for a name. */
function redactJson(text: string, nesting: number): string {
  let shown = '';
  let at = 0;
  for (let open = text.indexOf('"'); open >= 0; open = text.indexOf('"', at)) {
    const end = endOfQuoted(text, open + 1, '"');
    const inner = unescapedString(
      text.slice(open + 1, text.endsWith('"', end) && end > open + 1 ? end - 1 : end),
    );
    COLON.lastIndex = end;
    const valueAt = COLON.exec(text) === null ? -1 : COLON.lastIndex;
    const valueEnd = valueAt >= 0 && isSecretName(inner) ? endOfValue(text, valueAt) : valueAt;
    const shownString = valueAt >= 0 ? inner : redactString(inner, nesting);
    shown +=
      text.slice(at, open) + (shownString === inner ? text.slice(open, end) : JSON.stringify(shownString));
    if (valueAt >= 0) shown += text.slice(end, valueAt) + (valueEnd > valueAt ? `"${REDACTED}"` : '');
    at = Math.max(end, valueEnd);
  }
  return shown + text.slice(at);
}

const COLON = /\s*:\s*/y;

const URL_ALONE = /^(?:[a-z][\w+.-]{0,20}:)?\/\S*$/i;

/** A string may be JSON or a form, or contain a link. */
function redactString(text: string, nesting: number): string {
  if (!/[=:@]/.test(text)) return text;
  if (URL_ALONE.test(text)) return redactUrl(text);
  const lines = redactFormLines(text);
  return nesting === 0 ? redactLinks(redactMembers(lines)) : redactText(lines, '', nesting - 1);
}

/** `?token=…` in links anywhere, and user names and passwords in them. */
function redactLinks(text: string): string {
  const anonymous = text.includes('@')
    ? text.replace(/(:\\?\/\\?\/)[^/?#\s"'<>\\]*@/g, `$1${REDACTED}@`)
    : text;
  const query = /([?&;#]|\\{1,16}u0026)([\w.[\]%+-]{1,100}=[^\s"<>\\]*)/g;
  return anonymous.replace(query, (_, mark: string, parameters: string, at: number) => {
    const end =
      parameters.includes("'") && isInApostrophes(anonymous, at) ? parameters.indexOf("'") : undefined;
    return (
      mark + redactParameters(parameters.slice(0, end)) + (end === undefined ? '' : parameters.slice(end))
    );
  });
}

const MAX_LINK = 2000;

/** Otherwise, an apostrophe is part of the link. */
function isInApostrophes(text: string, at: number): boolean {
  return /["'\s<>](?=[^"'\s<>]*$)/.exec(text.slice(Math.max(0, at - MAX_LINK), at))?.[0] === "'";
}

/** `<input type="hidden" name="csrfmiddlewaretoken" value="…">`, `<meta name="csrf-token" content="…">`. */
function redactTags(text: string): string {
  return text.replace(/<(?:input|meta)\b[^<>]*/gi, (tag) => {
    const name = /\b(?:name|id)\s?=\s?["']?([^"'\s<>]+)/i.exec(tag)?.[1] ?? '';
    if (!isSecretName(name) && !/\btype\s?=\s?["']?password/i.test(tag)) return tag;
    return tag.replace(/\b(value|content)(\s?=\s?)("[^"]*"?|'[^']*'?|[^\s"'<>]+)/gi, `$1$2"${REDACTED}"`);
  });
}

/** The line between parts (RFC 2046 section 5.1.1), from the first line; null: it is not multipart. */
function multipartDelimiter(text: string, mediaType: string): string | null {
  const start = text.slice(0, 2000);
  const first = /(?:^|\n)(--[^\r\n]{1,200})\r?\n/.exec(start)?.[1] ?? null;
  return mediaType.startsWith('multipart/') || /^--.*\r?\ncontent-disposition:/i.test(start) ? first : null;
}

/** The parts of a form (RFC 7578) with names of secrets, and secrets in the other parts. */
function redactMultipart(text: string, delimiter: string): string {
  const mark = `\n${delimiter}`;
  return `\n${text}`.split(mark).map(redactPart).join(mark).slice(1);
}

function redactPart(part: string): string {
  const headEnd = /\r?\n\r?\n/.exec(part);
  if (headEnd === null) return part;
  const bodyAt = headEnd.index + headEnd[0].length;
  const head = part.slice(0, bodyAt);
  const body = part.slice(bodyAt);
  if (isSecretParameter(partName(head))) return `${head}${REDACTED}${body.endsWith('\r') ? '\r' : ''}`;
  const type = /^content-type:\s{0,20}([^\s;]{1,100})/im.exec(head)?.[1]?.toLowerCase() ?? '';
  return (
    head +
    (type === 'application/x-www-form-urlencoded' ? redactForm(body) : redactText(body, type, MAX_NESTING))
  );
}

/** Quoted, unquoted, or in the encoding of RFC 5987. */
function partName(head: string): string {
  const name = /[;\s]name\*?\s{0,20}=\s{0,20}(?:"((?:[^"\\\r\n]|\\.){0,500})"|([^\s;"]{1,500}))/i.exec(head);
  return percentDecoded(unescapedString(name?.[1] ?? name?.[2] ?? ''));
}
