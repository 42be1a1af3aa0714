/** Redacts secrets in what is shown, by their names: header fields, URLs, forms, and what looks like JSON members. */

import { isSecretField, isSecretName, isSecretParameter } from '../http/quoted.ts';

export const REDACTED = '[redacted]';

const AUTHORIZATION = /^(proxy-)?authorization$/i;

/** The scheme is useful and not secret. The list is fixed, so that a bare secret is never taken for a scheme. */
const SCHEME =
  /^(Basic|Bearer|Digest|DPoP|GNAP|HOBA|Mutual|Negotiate|NTLM|OAuth|Token|ApiKey|PrivateToken|AWS4-HMAC-SHA256|SCRAM-SHA-(?:1|256))\s/i;

/** The flat list with secret values replaced; names, order and duplicates stay. */
export function redactFields(fields: readonly string[]): string[] {
  return fields.map((text, at) => (at % 2 === 0 ? text : redactField(fields[at - 1] ?? '', text)));
}

/** Any field may contain a URL, such as HX-Current-URL and X-Rewrite-URL, or JSON, such as HX-Trigger. */
export function redactField(name: string, value: string): string {
  if (AUTHORIZATION.test(name)) {
    const scheme = SCHEME.exec(value.trimStart())?.[1];
    return scheme === undefined ? REDACTED : `${scheme} ${REDACTED}`;
  }
  if (isSecretField(name)) return REDACTED;
  // The only field that a web page can set for a WebSocket, so it is used for tokens.
  if (/^sec-websocket-protocol$/i.test(name) && isSecretName(value)) return REDACTED;
  return redactUrl(value);
}

/** Nested values are searched this deep; deeper ones count as secrets. */
const MAX_NESTING = 3;

/**
 * The URL, or request target, with the values of secret parameters and a user's name and password replaced.
 * Everything else stays byte for byte, also where it is no valid URL. Linear in the length of the URL.
 */
export function redactUrl(url: string): string {
  // A path may also have parameters: `/a;jsessionid=1` (RFC 3986 section 3.3).
  const start = url.search(/[?#;@"'\\]/);
  if (start < 0) return url;
  const plain = redactMembers(withoutUserinfo(url));
  const at = plain.search(/[?#;]/);
  return at < 0 ? plain : plain.slice(0, at) + redactParameters(plain.slice(at), MAX_NESTING);
}

/**
 * A form (application/x-www-form-urlencoded), or a part of one. Unlike in a URL, its values may contain `?`, `#` and
 * `;` (https://url.spec.whatwg.org/#urlencoded-parsing).
 */
export function redactForm(form: string): string {
  const parts = form.split('&').map((part) => {
    const redacted = redactedParameter(part, MAX_NESTING);
    if (redacted !== null) return redacted;
    const value = part.indexOf('=') + 1;
    return part.slice(0, value) + redactUrl(part.slice(value));
  });
  return redactMembers(parts.join('&'));
}

/** Whether there is a secret inside the value of a parameter whose own name is no secret's. */
function holdsSecret(value: string, nesting: number): boolean {
  const plain = unescaped(value);
  if (plain === value) return false;
  // A value that is still escaped at the last level counts as a secret.
  if (nesting === 0) return /%[0-9a-f]{2}/i.test(value);
  const shown = redactParameters(redactMembers(withoutUserinfo(plain)), nesting - 1);
  return shown !== plain;
}

/** The userinfo of an authority (RFC 3986 section 3.2.1), up to its last `@`. */
function withoutUserinfo(url: string): string {
  return url.includes('@') ? url.replace(/(^|:)\/\/[^/?#\s]*@/g, `$1//${REDACTED}@`) : url;
}

const NAME_AND_EQUALS = /^\s{0,20}[\w.[\]%+-]{1,200}=/;

/**
 * A fragment is treated like a query: OAuth's implicit grant puts the token there (RFC 6749 section 4.2.2). `?`, `#` and
 * `;` may also be part of a value: after a secret, only a name and `=` start another parameter.
 */
export function redactParameters(query: string, nesting: number = MAX_NESTING): string {
  let shown = '';
  let isRedacted = false;
  let separator = '';
  for (const part of query.split(/([?#&;])/)) {
    if (/^[?#&;]$/.test(part)) {
      separator = part;
      continue;
    }
    if (isRedacted && separator !== '&' && !NAME_AND_EQUALS.test(part)) continue;
    const redacted = redactedParameter(part, nesting);
    isRedacted = redacted !== null;
    shown += separator + (redacted ?? part);
  }
  return shown;
}

/** Null: it is no secret. */
function redactedParameter(parameter: string, nesting: number): string | null {
  const equals = parameter.indexOf('=');
  if (equals < 0) return holdsSecret(parameter, nesting) ? REDACTED : null;
  const isSecret =
    isSecretParameter(unescaped(parameter.slice(0, equals))) ||
    holdsSecret(parameter.slice(equals + 1), nesting);
  return isSecret ? `${parameter.slice(0, equals)}=${REDACTED}` : null;
}

function unescaped(text: string): string {
  return percentDecoded(text.replaceAll('+', ' '));
}

/** Byte by byte, and never throws, unlike decodeURIComponent. Only ASCII names matter here. */
export function percentDecoded(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}

/**
 * A quotation mark as in JSON, scripts, HTML and Python's dicts: also inside a string (after backslashes), as a JavaScript
 * escape, or as an HTML entity.
 */
const QUOTE: string = String.raw`\\{0,16}(?:["']|(?<=\\)u002[27]|&quot;|&#3[49];|&#x2[27];)`;

/** The unquoted name of an attribute, an argument or a variable; only a quoted text is its value. */
const BARE_NAME = String.raw`(?<![\w$.-])([\w$.-]{1,100})(?=\s{0,20}(?:[:=]|=>|=&gt;)\s{0,20}(?:${QUOTE}))`;
const MEMBER = String.raw`(?:(${QUOTE})((?:(?!\1)[^<>{}\n]){1,200})\1|${BARE_NAME})\s{0,20}(?::|=>|=&gt;|=)\s{0,20}`;

/**
 * What looks like a member of JSON, anywhere: `"access_token": …`, `\"access_token\": …`, `'access_token' => …`,
 * `access_token = "…"`. The whole value is replaced, even an array or an object. Linear in the length of the text; a text
 * without such names does not change.
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

/** `accesskey` is an HTML attribute for a keyboard shortcut. */
function isSecretMember(name: string): boolean {
  return isSecretName(unescapedString(name, ESCAPES)) && name !== 'accesskey';
}

/** The text of a JSON string; never throws. */
export function unescapedString(text: string, escape: RegExp = ESCAPE): string {
  if (!text.includes('\\')) return text;
  return text.replace(escape, (_, code: string | undefined, character: string) =>
    code === undefined ? (CONTROLS[character] ?? character) : String.fromCharCode(Number.parseInt(code, 16)),
  );
}

const ESCAPE = /\\(?:u([0-9a-f]{4})|(.?))/gis;
/** For a string that is nested any number of times. */
const ESCAPES = /\\+(?:u([0-9a-f]{4})|(.?))/gis;
const CONTROLS: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' };

const OPENING = new RegExp(QUOTE, 'iy');

/** The quotation mark that begins at `at`; empty: there is none. */
function quoteAt(text: string, at: number): string {
  OPENING.lastIndex = at;
  return OPENING.exec(text)?.[0] ?? '';
}

/**
 * Where a quoted text ends, after the closing mark; the end of the text if there is none.
 *
 * @param from after the opening mark
 */
export function endOfQuoted(text: string, from: number, quote: string): number {
  const mark = quote.replace(/^\\+/, '');
  const depth = quote.length - mark.length;
  for (let at = text.indexOf(mark, from); at >= 0; at = text.indexOf(mark, at + mark.length)) {
    const before = backslashesBefore(text, at, from);
    // Each nesting doubles the backslashes and adds one before marks: 0, 1, 3, 7 … backslashes before a mark close the text.
    if (before < depth || before % (2 * (depth + 1)) === depth) return at + mark.length;
  }
  return text.length;
}

function backslashesBefore(text: string, at: number, from: number): number {
  let first = at;
  while (first > from && text[first - 1] === '\\') first -= 1;
  return at - first;
}

/** Where the value at `at` ends: a quoted text, an array or object, or a word. */
export function endOfValue(text: string, at: number): number {
  const quote = quoteAt(text, at);
  if (quote !== '') return endOfQuoted(text, at + quote.length, quote);
  if (text[at] === '{' || text[at] === '[') return endOfBrackets(text, at);
  WORD.lastIndex = at;
  return at + (WORD.exec(text)?.[0].length ?? 0);
}

const WORD = /[\w.+-]*/y;

/** Brackets in quoted texts are ignored; an unclosed value ends with the text. */
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
