/** What Node's request parser lets through and an intermediary must not. */

import { ProxyError } from '../errors.ts';
import { fieldValues, listMembers } from './fields.ts';
import type { Fields } from './fields.ts';

export interface RequestLine {
  readonly method: string;
  readonly url: string;
  readonly minor: 0 | 1;
  readonly fields: Fields;
}

export function checkRequest(request: RequestLine): ProxyError | null {
  return checkMethod(request) ?? checkTarget(request) ?? checkHost(request) ?? checkFraming(request);
}

function checkMethod({ method }: RequestLine): ProxyError | null {
  if (method !== 'CONNECT') return null;
  return new ProxyError(
    'method_not_allowed',
    'CONNECT is for forward proxies; this one serves one upstream.',
  );
}

const ORIGIN_FORM = /^\/[\x21-\x7e\x80-\xff]*$/;
const ABSOLUTE_FORM = /^https?:\/\/([^/?#\s@]+)([/?][\x21-\x7e\x80-\xff]*)?$/i;

/** RFC 9112 section 3.2. */
function checkTarget({ method, url }: RequestLine): ProxyError | null {
  if (ORIGIN_FORM.test(url) || ABSOLUTE_FORM.test(url) || (url === '*' && method === 'OPTIONS')) return null;
  return bad(`the request target ${JSON.stringify(url.slice(0, 60))} is neither a path nor an http URL`);
}

const HOST = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._~!$&'()*+,;=%]*)(?::\d*)?$/;

/** RFC 9112 section 3.2: exactly one Host, and a valid one. */
function checkHost({ minor, fields }: RequestLine): ProxyError | null {
  const hosts = fieldValues(fields, 'host');
  const [host = ''] = hosts;
  if (hosts.length > 1) return bad(`it has ${hosts.length} Host fields`);
  if (hosts.length === 0 && minor === 1) return bad('it has no Host field');
  return HOST.test(host) ? null : bad(`its Host is ${JSON.stringify(host.slice(0, 60))}`);
}

/** RFC 9112 section 6.1 and 6.3. */
function checkFraming({ minor, fields }: RequestLine): ProxyError | null {
  const lengths = fieldValues(fields, 'content-length');
  const coded = fieldValues(fields, 'transfer-encoding');
  if (coded.length > 0) {
    if (lengths.length > 0) return bad('it has both a Transfer-Encoding and a Content-Length');
    if (minor === 0) return bad('it has a Transfer-Encoding, which HTTP/1.0 does not know');
    return checkCodings(coded.flatMap(listMembers));
  }
  if (lengths.some((length) => length !== lengths[0])) return bad('it has different Content-Lengths');
  const [length] = lengths;
  if (length === undefined || (/^\d+$/.test(length) && Number.isSafeInteger(Number(length)))) return null;
  return bad(`its Content-Length is ${JSON.stringify(length.slice(0, 60))}`);
}

function checkCodings(codings: readonly string[]): ProxyError | null {
  if (codings.at(-1) !== 'chunked')
    return bad('its last transfer coding is not chunked, so its end cannot be known');
  if (codings.length === 1) return null;
  const names = codings.slice(0, -1).join(', ').slice(0, 60);
  return new ProxyError(
    'coding_not_supported',
    `The transfer coding "${names}" is not supported: send the body chunked alone.`,
  );
}

function bad(why: string): ProxyError {
  return new ProxyError('bad_request', `The request is refused because ${why}.`);
}

/** Path and query of the request target, as they came, and the authority of an absolute one. */
export function originForm(url: string): { readonly target: string; readonly host: string | null } {
  const absolute = ABSOLUTE_FORM.exec(url);
  if (absolute === null) return { target: url, host: null };
  const [, host = '', path = ''] = absolute;
  return { target: path.startsWith('/') ? path : `/${path}`, host };
}
