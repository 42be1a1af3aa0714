/** Quotes bytes from a peer in a sentence, without secrets, and has the one list of names whose values are secret. */

const MAX_SHOWN_CHARACTERS = 60;

export function quoted(text: string): string {
  const name = SECRET_PART.exec(text);
  const end = name === null ? text.length : name.index + name[0].length;
  const shownEnd = Math.min(end, MAX_SHOWN_CHARACTERS);
  const shown = shownEnd < text.length ? `${text.slice(0, shownEnd)}…` : text;
  return `"${shown.replace(/[^\x20-\x7e\xa0-\xff…]|["\\]/g, escaped)}"`;
}

function escaped(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`;
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

/** Anywhere in a longer name: X-CSRFToken, aws_secret_access_key, PHPSESSID. */
const SECRET_PART: RegExp =
  /token|secret|passw(?:or)?d|passphrase|passcode|(?:api|app|application|access|private|auth|subscription|functions|account|master|signing|encryption|consumer|client|shared|ssh|license)[-_ .]?key|csrf|xsrf|session|sessid|credential|signature|cookie|authoriz|jwt|bearer|client[-_]?assertion|saml(?:request|response|art)|(?:code|pkce)[-_]?verifier|(?:^|[^a-z])t?otp(?:$|[^a-z]|code)|(?:card|security)[-_]?code|cvv|(?:verification|recovery|backup|mfa|device)[-_]?code/i;

/** The whole name, or one segment of it, as in user[pwd] and login.pin. */
const SECRET_WHOLE = /^(?:x-)?(?:auth|pass|pwd|passwd|sid|pin|creds?|assertion)$/i;

/** Only in a query or a form: in JSON, `code` is usually an error code, and `key` can be anything. */
const SECRET_PARAMETER = /^(?:key|sig|code|ticket|hmac)$/i;

/** A field with this ending holds a secret key, except those of protocols, caches and queues. */
const KEY_FIELD = /(?:^|[-_])key$/i;
const PUBLIC_KEY_FIELD = /^key$|websocket|idempotency|surrogate|cache|partition|routing|public|sort|hash/i;

const CORS_FIELD = /^access-control-/i;

/** Whether values with this name are secret, wherever the name is used. */
export function isSecretName(name: string): boolean {
  return SECRET_PART.test(name) || someSegment(name, SECRET_WHOLE);
}

/** Whether values of this query or form parameter are secret. */
export function isSecretParameter(name: string): boolean {
  return isSecretName(name) || someSegment(name, SECRET_PARAMETER);
}

/** Whether values of this header field are secret. CORS fields mention credentials but hold none. */
export function isSecretField(name: string): boolean {
  if (CORS_FIELD.test(name)) return false;
  return isSecretName(name) || (KEY_FIELD.test(name) && !PUBLIC_KEY_FIELD.test(name));
}

function someSegment(name: string, pattern: RegExp): boolean {
  if (pattern.test(name)) return true;
  return /[[\].]/.test(name) && name.split(/[[\].]+/).some((segment) => pattern.test(segment));
}
