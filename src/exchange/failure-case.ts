/** Sorts evidence into the cases that have a sentence of their own. */

import { NO_CLOSE_NOTIFY } from '../upstream/connection.ts';
import type { Ending, Evidence } from '../upstream/evidence.ts';
import type { VerdictKind } from '../upstream/verdict.ts';
import type { FailureCase } from './failures.ts';

export function failureCase(verdict: VerdictKind, evidence: Evidence, target: string): FailureCase {
  if (verdict === 'complete') return 'no-failure';
  if (verdict === 'unverifiable') return 'unverifiable';
  return CASES[evidence.ending](evidence, target);
}

const CASES: Readonly<Record<Ending, (evidence: Evidence, target: string) => FailureCase>> = {
  'message-end': () => 'no-failure',
  'client-gone': () => 'client-gone',
  'connect-failed': connectCase,
  limit: ({ errorCode }) => LIMITS.get(errorCode) ?? 'spool',
  'parse-error': malformedCase,
  timeout: timeoutCase,
  fin: cutCase,
  rst: cutCase,
};

const LIMITS: ReadonlyMap<string | null, FailureCase> = new Map<string | null, FailureCase>([
  ['LIMIT_RESPONSE_BODY', 'body-too-large'],
  ['LIMIT_HEAD', 'head-too-large'],
  ['LIMIT_SPOOL', 'spool'],
]);

/** Our own codes, and those of Node's parser (llhttp), which reads what is passed on. */
const MALFORMED: ReadonlyMap<string | null, FailureCase> = new Map<string | null, FailureCase>([
  ['CODING', 'unknown-coding'],
  ['LENGTH', 'malformed-length'],
  ['SWITCH', 'unasked-switch'],
  ['NOT_HTTP', 'not-http'],
  ['HPE_INVALID_CONSTANT', 'not-http'],
  ['CHUNK_END', 'chunk-overrun'],
  ['HPE_STRICT', 'chunk-overrun'],
  ['CHUNK_EXTENSION', 'chunk-extension'],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', 'chunk-extension'],
  ['TRAILER', 'malformed-trailer'],
]);

function malformedCase({ errorCode, framing }: Evidence): FailureCase {
  return MALFORMED.get(errorCode) ?? (framing === null ? 'malformed-head' : 'malformed-body');
}

function timeoutCase({ timeout, head, headBytes }: Evidence): FailureCase {
  if (timeout === 'connect') return 'connect-timeout';
  if (head !== null) return 'body-stalled';
  return headBytes === 0 ? 'no-first-byte' : 'head-stalled';
}

function cutCase({ ending, head, headBytes, reusedConnection, errorCode }: Evidence): FailureCase {
  const reset = ending === 'rst' && errorCode !== NO_CLOSE_NOTIFY;
  if (head !== null && errorCode === NO_CLOSE_NOTIFY) return 'body-without-close-notify';
  if (head !== null) return reset ? 'body-reset' : 'body-closed';
  if (headBytes > 0) return reset ? 'head-reset' : 'head-closed';
  if (reusedConnection) return 'stale';
  return reset ? 'reset-unanswered' : 'closed-unanswered';
}

/**
 * The codes of a connection that could not be made: the system's, libuv's (EAI_*), OpenSSL's verification results
 * (https://nodejs.org/api/tls.html#x509-certificate-error-codes) and Node's (ERR_TLS_*, ERR_SSL_*). First match wins.
 */
const CONNECT_CASES: ReadonlyArray<readonly [RegExp, FailureCase]> = [
  [/^ECONNREFUSED$/, 'refused'],
  [/^ENOENT$/, 'socket-missing'],
  [/^(EACCES|EPERM)$/, 'forbidden'],
  [/^ENOTFOUND$/, 'name-unknown'],
  [/^EAI_/, 'lookup-failed'],
  [/^(EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN|EADDRNOTAVAIL)$/, 'no-route'],
  [/^ETIMEDOUT$/, 'connect-timeout'],
  [/^(EMFILE|ENFILE)$/, 'no-descriptors'],
  [/^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/, 'certificate-expired'],
  [/^(DEPTH_ZERO_)?SELF_SIGNED_CERT/, 'certificate-self-signed'],
  [/^ERR_TLS_CERT_ALTNAME/, 'certificate-name'],
  [/^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST)$/, 'tls-to-plain-http'],
  [/^(ERR_SSL_|ERR_TLS_|EPROTO)/, 'tls-failed'],
  [/CERT|ISSUER|LEAF_SIGNATURE|CRL/, 'certificate-untrusted'],
];

const DROPPED = /^(ECONNRESET|ECONNABORTED|EPIPE)$/;

function connectCase({ timeout, errorCode }: Evidence, target: string): FailureCase {
  if (timeout === 'connect') return 'connect-timeout';
  const code = errorCode ?? '';
  // Node reports a TLS handshake that the peer breaks off as ECONNRESET, like any other reset.
  if (DROPPED.test(code)) return target.startsWith('https:') ? 'tls-dropped' : 'dropped';
  return CONNECT_CASES.find(([pattern]) => pattern.test(code))?.[1] ?? 'connect-failed';
}
