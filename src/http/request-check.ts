/** Checks a request before anything is sent to the upstream: refuses what Node's parser accepts but an intermediary must not forward. */

import { isIPv6 } from 'node:net';
import { ProxyError } from '../errors.ts';
import { fieldValue, fieldValues, listMembers } from './fields.ts';
import type { Fields } from './fields.ts';
import { viaNames } from './forwarding.ts';
import { contentLength } from './framing.ts';
import { quoted } from './quoted.ts';
import { originForm } from './request.ts';
import type { Request } from './request.ts';

export type RequestLine = Pick<Request, 'method' | 'url' | 'minor' | 'fields'>;

export interface RequestLimits {
  /** The name by which this proxy knows itself in Via (RFC 9110 section 7.6.3). */
  readonly via: string;
  readonly maxHeaderBytes: number;
}

/** Why this proxy does not forward the request; null: it does. */
export function refusalBeforehand(
  request: Request,
  { via, maxHeaderBytes }: RequestLimits,
): ProxyError | null {
  return (
    checkVersion(request) ??
    checkHeadSize(request, maxHeaderBytes) ??
    checkRequest(request) ??
    checkLoop(request.fields, via) ??
    checkExpect(request.fields)
  );
}

/** Node's parser accepts HTTP/0.9 and HTTP/2.0 like HTTP/1.1; see test/facts/http-parser.test.ts. */
function checkVersion({ httpVersion }: Request): ProxyError | null {
  if (httpVersion === '1.1' || httpVersion === '1.0') return null;
  if (!httpVersion.startsWith('0.')) return otherVersion(`HTTP/${httpVersion}`);
  return new ProxyError('bad_request', `The request uses HTTP/${httpVersion}. Use HTTP/1.1.`);
}

/** Node counts names and values only: a head of many short fields is several times as large on the wire. */
function checkHeadSize({ method, url, fields }: Request, limit: number): ProxyError | null {
  return headBytes(method, url, fields) > limit ? headTooLarge(limit) : null;
}

/** RFC 9110 section 7.6.3. */
function checkLoop(fields: Fields, via: string): ProxyError | null {
  if (!viaNames(fields).includes(via)) return null;
  return new ProxyError(
    'loop_detected',
    'The request has already passed through this proxy: --target leads back to it. Point --target at the upstream.',
  );
}

/** RFC 9110 section 10.1.1. */
function checkExpect(fields: Fields): ProxyError | null {
  const values = fieldValues(fields, 'expect');
  if (values.length === 0 || values.flatMap(listMembers).every((one) => one === '100-continue')) return null;
  return new ProxyError('expectation_failed', 'Only "Expect: 100-continue" is supported.');
}

/** The first fault of a request head, or null. */
export function checkRequest(request: RequestLine): ProxyError | null {
  return checkMethod(request) ?? checkTarget(request) ?? checkHost(request) ?? checkFraming(request);
}

function checkMethod({ method }: RequestLine): ProxyError | null {
  if (method !== 'CONNECT') return null;
  return new ProxyError(
    'method_not_allowed',
    'CONNECT opens a tunnel, and this proxy serves one upstream only.',
  );
}

/**
 * Non-ASCII bytes are accepted: curl sends them, and dev servers understand them. (Node's own parser refuses them; see
 * test/facts/http-parser.test.ts.) Characters above U+00FF are refused, because latin1 would change them.
 */
const ORIGIN_FORM = /^\/[\x21-\x7e\x80-\xff]*$/;

/** RFC 9112 section 3.2. */
function checkTarget({ method, url }: RequestLine): ProxyError | null {
  if (ORIGIN_FORM.test(url) || (url === '*' && method === 'OPTIONS')) return null;
  const { host } = originForm(url);
  if (host !== null && isAuthority(host)) return null;
  // Not quoted: it may hold a password or a token, and sentences are logged.
  return refused('its target is neither a path nor an http URL');
}

/**
 * Exactly one valid Host; HTTP/1.0 may have none (RFC 9112 section 3.2). An empty Host is refused, like an http URL
 * without a host (RFC 9110 section 4.2.1).
 */
function checkHost({ minor, fields }: RequestLine): ProxyError | null {
  const hosts = fieldValues(fields, 'host');
  if (hosts.length > 1) return refused(`it has ${hosts.length} Host fields`);
  if (hosts.length === 0 && minor === 1) return refused('it has no Host field');
  const wrong = hosts.find((host) => !isAuthority(host));
  if (wrong === undefined) return null;
  // The text before an @ may be a password.
  return refused(`its Host ${wrong.includes('@') ? '' : `${quoted(wrong)} `}is not a host name`);
}

/** Fast path for the usual form: a name or IPv4, and a short port. */
const PLAIN_AUTHORITY = /^[A-Za-z\d.-]+(?::\d{1,4})?$/;
const REG_NAME = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[\dA-Fa-f]{2})+$/;
const MAX_PORT = 65_535;

/** RFC 3986 section 3.2 without user information, which RFC 9110 section 4.2.4 says to treat as an error. */
function isAuthority(text: string): boolean {
  if (PLAIN_AUTHORITY.test(text)) return true;
  const port = /:(\d*)$/.exec(text);
  const host = port === null ? text : text.slice(0, port.index);
  if (port !== null && Number(text.slice(port.index + 1)) > MAX_PORT) return false;
  return REG_NAME.test(host) || (/^\[[\dA-Fa-f:.]+\]$/.test(host) && isIPv6(host.slice(1, -1)));
}

/** RFC 9112 sections 6.1 and 6.3: ambiguous framing allows request smuggling. */
function checkFraming({ minor, fields }: RequestLine): ProxyError | null {
  const codings = fieldValues(fields, 'transfer-encoding');
  if (codings.length > 0) {
    if (fieldValue(fields, 'content-length') !== undefined) {
      return refused('it has both Transfer-Encoding and Content-Length');
    }
    if (minor === 0) return refused('it has a Transfer-Encoding, which HTTP/1.0 does not know');
    return checkCodings(codings.flatMap(listMembers));
  }
  const announced = contentLength(fields);
  return announced.kind === 'malformed' ? refused(announced.why) : null;
}

function checkCodings(codings: readonly string[]): ProxyError | null {
  if (codings.at(-1) !== 'chunked') return refused('its last transfer coding is not chunked');
  if (codings.length === 1) return null;
  return new ProxyError(
    'coding_not_supported',
    `The transfer coding ${quoted(codings.join(', '))} is not supported; only chunked is.`,
  );
}

function refused(why: string): ProxyError {
  return new ProxyError('bad_request', `The request is refused: ${why}.`);
}

/** Size of the head, with one line for each field and one space after its colon. */
export function headBytes(method: string, url: string, fields: Fields): number {
  let bytes = method.length + url.length + '  HTTP/1.1\r\n\r\n'.length;
  // Two bytes follow each part: ": " a name, CRLF a value.
  for (const part of fields) bytes += part.length + 2;
  return bytes;
}

/** RFC 9110 section 15.6.6. */
export function otherVersion(version: string): ProxyError {
  return new ProxyError('version_not_supported', `The request uses ${version}. Use HTTP/1.1.`);
}

export function headTooLarge(limitBytes: number): ProxyError {
  const sentence = `The request head is larger than --max-header (${limitBytes} bytes). Raise it, or send fewer fields.`;
  return new ProxyError('request_head_too_large', sentence);
}
