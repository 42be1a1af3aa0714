/** Takes secrets out of what is shown: of header fields, by their name, and of URLs, by the names of their parameters. */

import { SECRET_PART } from '../http/secret-names.ts';

export const REDACTED = '[redacted]';

/** Names that tell of a secret only as a whole: `key`, not `monkey`. */
const SECRET_PARAMETER = /^(key|sig|code|auth|pass|pwd|pin|otp|sid|ticket|hmac|assertion)$/i;
const SECRET_FIELD = /^(x-)?(auth|pass|pwd|sid)$/i;
const AUTHORIZATION = /^(proxy-)?authorization$/i;

/** The scheme is no secret and helps; the list is closed, so that a bare secret is never taken for a scheme. */
const SCHEME =
  /^(Basic|Bearer|Digest|DPoP|GNAP|HOBA|Mutual|Negotiate|NTLM|OAuth|Token|ApiKey|PrivateToken|AWS4-HMAC-SHA256|SCRAM-SHA-(?:1|256))\s/i;

/** Fields whose value is a URL. */
const URL_FIELD =
  /^(location|content-location|referer|refresh|link|origin|x-original-ur[il]|x-forwarded-ur[il])$/i;

/** Whether a name (of a field, a parameter, a key in a log) promises a secret. */
export function isSecretName(name: string): boolean {
  return SECRET_PART.test(name) || SECRET_FIELD.test(name);
}

/** Whether the name of a parameter does, in a query or a form. */
export function isSecretParameter(name: string): boolean {
  return SECRET_PARAMETER.test(name) || isSecretName(name);
}

/** The flat list with its secret values replaced; names, order and duplicates stay. */
export function redactFields(fields: readonly string[]): string[] {
  return fields.map((text, at) => (at % 2 === 0 ? text : redactValue(fields[at - 1] ?? '', text)));
}

function redactValue(name: string, value: string): string {
  if (AUTHORIZATION.test(name)) {
    const scheme = SCHEME.exec(value.trimStart())?.[1];
    return scheme === undefined ? REDACTED : `${scheme} ${REDACTED}`;
  }
  if (isSecretName(name)) return REDACTED;
  return URL_FIELD.test(name) ? redactUrl(value) : value;
}

/** Values within values are looked into this deep; what is nested deeper is taken for a secret. */
const MAX_NESTING = 3;

/**
 * The URL, or request target, with the values of secret parameters and a user's name and password replaced.
 * Everything else stays octet for octet, also where it is no valid URL. Linear in the length of the URL.
 */
export function redactUrl(url: string): string {
  return redactNested(url, MAX_NESTING);
}

function redactNested(url: string, nesting: number): string {
  const anonymous = url.includes('@') ? withoutUserinfo(url) : url;
  const start = anonymous.search(/[?#]/);
  if (start < 0) return anonymous;
  return anonymous.slice(0, start) + redactParameters(anonymous.slice(start), nesting);
}

/** The userinfo of an authority (RFC 3986 section 3.2.1), up to its last `@`. */
function withoutUserinfo(url: string): string {
  return url.replace(/(^|:)\/\/[^/?#\s]*@/g, `$1//${REDACTED}@`);
}

/** A fragment is treated like a query: OAuth's implicit grant puts the token there (RFC 6749 section 4.2.2). */
function redactParameters(query: string, nesting: number): string {
  const parts = query.split(/([?#&;])/);
  return parts.map((part) => redactParameter(part, nesting)).join('');
}

function redactParameter(parameter: string, nesting: number): string {
  const equals = parameter.indexOf('=');
  if (equals < 0) return parameter;
  const name = unescaped(parameter.slice(0, equals));
  const secret = isSecretParameter(name) || holdsSecret(parameter.slice(equals + 1), nesting);
  return secret ? `${parameter.slice(0, equals)}=${REDACTED}` : parameter;
}

/** A parameter may itself be an escaped URL with secrets, as in `next=%2Fa%3Ftoken%3D1`. */
function holdsSecret(value: string, nesting: number): boolean {
  const plain = unescaped(value);
  if (plain === value) return false;
  return nesting === 0 || redactNested(plain, nesting - 1) !== plain;
}

/** Octet by octet and total, unlike decodeURIComponent; only names in ASCII matter here. */
function unescaped(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}
