/**
 * Takes secrets out of bodies that are shown, by their names. Forms, multipart and JSON are parsed, also where only their
 * beginning is there, or where their type is not said; links, inputs and what looks like them are found anywhere.
 */

import { isSecretName, isSecretParameter } from '../http/quoted.ts';
import {
  endOfQuoted,
  endOfValue,
  REDACTED,
  redactForm,
  redactMembers,
  redactParameters,
  redactUrl,
  unescapedString,
} from './redact.ts';

/** Strings within strings are looked into this deep; beyond it only by patterns. */
const MAX_NESTING = 3;

/** Linear in the length of the text; what holds no secret stays as it is. */
export function redactBody(text: string, mediaType: string): string {
  if (mediaType === 'application/x-www-form-urlencoded') return redactForm(text);
  const delimiter = multipartDelimiter(text, mediaType);
  if (delimiter !== null) return redactMultipart(text, delimiter);
  return redactText(UNTYPED.has(mediaType) ? redactFormLines(text) : text, mediaType, MAX_NESTING);
}

/** What is sent by those who do not say what it is. */
const UNTYPED: ReadonlySet<string> = new Set(['', 'text/plain', 'application/octet-stream']);

function redactText(text: string, mediaType: string, nesting: number): string {
  if (!isJson(text, mediaType)) return redactTags(redactLinks(redactMembers(text)));
  const parsed = redactJson(text, nesting);
  // What is JSON to its end needs nothing more; what is cut, or only looks like it, does.
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

/** Lines that begin as a form does, or as a form of type text/plain, or as a file of settings. */
function redactFormLines(text: string): string {
  return text.replace(/^[^\s=&<>{}()"'?]{1,200}=.*$/gm, redactForm);
}

function isJson(text: string, mediaType: string): boolean {
  return /json/.test(mediaType) || /^\s*[[{"]/.test(text.slice(0, 200));
}

/** Reads strings in the order in which they come, so that one within another is never taken for a name. */
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

/** A string may be JSON itself, or a form, or hold a link. */
function redactString(text: string, nesting: number): string {
  if (!/[=:@]/.test(text)) return text;
  if (URL_ALONE.test(text)) return redactUrl(text);
  const lines = redactFormLines(text);
  return nesting === 0 ? redactLinks(redactMembers(lines)) : redactText(lines, '', nesting - 1);
}

/** `?token=…` in a link, wherever it stands, and the name and password of a user in one. */
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

/** Else an apostrophe is a part of the link. */
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

/** What separates its parts (RFC 2046 section 5.1.1), as its first line says it; null: it is none. */
function multipartDelimiter(text: string, mediaType: string): string | null {
  const start = text.slice(0, 2000);
  const first = /(?:^|\n)(--[^\r\n]{1,200})\r?\n/.exec(start)?.[1] ?? null;
  return mediaType.startsWith('multipart/') || /^--.*\r?\ncontent-disposition:/i.test(start) ? first : null;
}

/** The parts of a form (RFC 7578) whose names tell of secrets, and what the others hold. */
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

/** In quotation marks or not, or as RFC 5987 has it. */
function partName(head: string): string {
  const name = /[;\s]name\*?\s{0,20}=\s{0,20}(?:"((?:[^"\\\r\n]|\\.){0,500})"|([^\s;"]{1,500}))/i.exec(head);
  return decoded(unescapedString(name?.[1] ?? name?.[2] ?? ''));
}

function decoded(name: string): string {
  return name.replace(/%([0-9a-f]{2})/gi, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}
