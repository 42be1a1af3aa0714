/** How bytes that a peer sent are shown in a sentence, and the one list of names that promise a secret, which is not shown. */

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

/** Wherever they stand in a longer name: X-CSRFToken, aws_secret_access_key, PHPSESSID. */
const SECRET_PART: RegExp =
  /token|secret|passw(?:or)?d|passphrase|passcode|(?:api|app|application|access|private|auth|subscription|functions|account|master|signing|encryption|consumer|client|shared|ssh|license)[-_ .]?key|csrf|xsrf|session|sessid|credential|signature|cookie|authoriz|jwt|bearer|client[-_]?assertion|saml(?:request|response|art)|(?:code|pkce)[-_]?verifier|(?:^|[^a-z])t?otp(?:$|[^a-z]|code)|(?:card|security)[-_]?code|cvv|(?:verification|recovery|backup|mfa|device)[-_]?code/i;

/** As a whole, or as one of the parts of user[pwd] and login.pin. */
const SECRET_WHOLE = /^(?:x-)?(?:auth|pass|pwd|passwd|sid|pin|creds?|assertion)$/i;

/** In a query or a form, where they mean one thing: in JSON, `code` is that of an error, and `key` anything. */
const SECRET_PARAMETER = /^(?:key|sig|code|ticket|hmac)$/i;

/** A field that ends so is a key to something, but for those of protocols, caches and queues. */
const KEY_FIELD = /(?:^|[-_])key$/i;
const PUBLIC_KEY_FIELD = /^key$|websocket|idempotency|surrogate|cache|partition|routing|public|sort|hash/i;

const CORS_FIELD = /^access-control-/i;

/** Whether a name promises a secret wherever it stands. */
export function isSecretName(name: string): boolean {
  return SECRET_PART.test(name) || someSegment(name, SECRET_WHOLE);
}

/** Whether the name of a parameter does, in a query or a form. */
export function isSecretParameter(name: string): boolean {
  return isSecretName(name) || someSegment(name, SECRET_PARAMETER);
}

/** Whether the name of a header field does. Those of CORS speak of credentials, and hold none. */
export function isSecretField(name: string): boolean {
  if (CORS_FIELD.test(name)) return false;
  return isSecretName(name) || (KEY_FIELD.test(name) && !PUBLIC_KEY_FIELD.test(name));
}

function someSegment(name: string, pattern: RegExp): boolean {
  if (pattern.test(name)) return true;
  return /[[\].]/.test(name) && name.split(/[[\].]+/).some((segment) => pattern.test(segment));
}
