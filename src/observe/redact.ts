/** Takes secrets out of what is shown: of header fields, URLs and forms, by their names. */

import { isSecretField, isSecretName, isSecretParameter } from '../http/quoted.ts';
import { REDACTED, redactMembers } from './redact-members.ts';

const AUTHORIZATION = /^(proxy-)?authorization$/i;

/** The scheme is no secret and helps; the list is closed, so that a bare secret is never taken for a scheme. */
const SCHEME =
  /^(Basic|Bearer|Digest|DPoP|GNAP|HOBA|Mutual|Negotiate|NTLM|OAuth|Token|ApiKey|PrivateToken|AWS4-HMAC-SHA256|SCRAM-SHA-(?:1|256))\s/i;

/** The flat list with its secret values replaced; names, order and duplicates stay. */
export function redactFields(fields: readonly string[]): string[] {
  return fields.map((text, at) => (at % 2 === 0 ? text : redactField(fields[at - 1] ?? '', text)));
}

/** Any field may hold a URL, such as HX-Current-URL and X-Rewrite-URL, or JSON, such as HX-Trigger. */
export function redactField(name: string, value: string): string {
  if (AUTHORIZATION.test(name)) {
    const scheme = SCHEME.exec(value.trimStart())?.[1];
    return scheme === undefined ? REDACTED : `${scheme} ${REDACTED}`;
  }
  if (isSecretField(name)) return REDACTED;
  // Browsers can send no other field with a WebSocket, so tokens travel here.
  if (/^sec-websocket-protocol$/i.test(name) && isSecretName(value)) return REDACTED;
  return redactUrl(value);
}

/** Values within values are looked into this deep; what is nested deeper is taken for a secret. */
const MAX_NESTING = 3;

/**
 * The URL, or request target, with the values of secret parameters and a user's name and password replaced.
 * Everything else stays byte for byte, also where it is no valid URL. Linear in the length of the URL.
 */
export function redactUrl(url: string): string {
  // A path may have parameters, too: `/a;jsessionid=1` (RFC 3986 section 3.3).
  const start = url.search(/[?#;@"'\\]/);
  if (start < 0) return url;
  const plain = redactMembers(withoutUserinfo(url));
  const at = plain.search(/[?#;]/);
  return at < 0 ? plain : plain.slice(0, at) + redactParameters(plain.slice(at), MAX_NESTING);
}

/**
 * A form (application/x-www-form-urlencoded), or a part of one. Unlike those of a URL, its values may hold `?`, `#` and
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

/** The value of a parameter that is no secret by its name, with what it holds. */
function holdsSecret(value: string, nesting: number): boolean {
  const plain = unescaped(value);
  if (plain === value) return false;
  // What is escaped once more than is looked into is taken for a secret.
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
 * `;` may as well be a part of a value: after a secret, only a name and `=` begin another parameter.
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

/** Byte by byte and total, unlike decodeURIComponent; only names in ASCII matter here. */
function unescaped(text: string): string {
  return text
    .replaceAll('+', ' ')
    .replace(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}
