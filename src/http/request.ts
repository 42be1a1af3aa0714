/** One request, parsed once where it enters, so that no later code parses its method, target, fields or framing; and whether it may be sent again. */

import { fieldValue } from './fields.ts';
import type { Fields } from './fields.ts';
import { contentLength } from './framing.ts';
import type { Framing } from './framing.ts';

/** How the client frames the body (RFC 9112 section 6.3). A body of length 0 is a body, and is forwarded with a Content-Length. */
export type RequestFraming = Exclude<Framing, { readonly kind: 'close' }>;

export interface Request {
  readonly method: string;
  /** The request target as received. */
  readonly url: string;
  /** Path and query, or `*`, as forwarded: an absolute URL without its scheme and authority. */
  readonly target: string;
  /** The authority of an absolute URL; null: the target has none, so Host alone names the site. */
  readonly targetHost: string | null;
  /** The requested site (RFC 9112 section 3.2.2); null: none is named, which HTTP/1.0 allows. */
  readonly host: string | null;
  /** As the client wrote it: `1.1`. */
  readonly httpVersion: string;
  readonly minor: 0 | 1;
  /** As the client sent them. */
  readonly fields: Fields;
  readonly framing: RequestFraming;
}

/** A request as Node's parser has it. */
export interface NodeRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly httpVersion: string;
  readonly rawHeaders: Fields;
}

/** Total, because refused requests have records too; `checkRequest` decides whether the request may be forwarded. */
export function parseRequest({
  method = '',
  url = '',
  httpVersion,
  rawHeaders: fields,
}: NodeRequest): Request {
  const { target, host: targetHost } = originForm(url, method);
  return {
    method,
    url,
    target,
    targetHost,
    host: targetHost ?? fieldValue(fields, 'host') ?? null,
    httpVersion,
    minor: httpVersion === '1.0' ? 0 : 1,
    fields,
    framing: framingOf(fields),
  };
}

/**
 * The path and query to send to the upstream, byte for byte as received, and the authority of an absolute target;
 * null: the target has none.
 *
 * @param method if given, an OPTIONS for the whole server gets the target `*` (RFC 9112 section 3.2.4)
 */
export function originForm(
  url: string,
  method?: string,
): { readonly target: string; readonly host: string | null } {
  if (!ABSOLUTE_FORM.test(url)) return { target: url, host: null };
  const rest = url.slice(url.indexOf('//') + 2);
  const end = rest.search(/[/?]/);
  const host = end < 0 ? rest : rest.slice(0, end);
  const target = rest.slice(host.length);
  if (target === '' && method === 'OPTIONS') return { target: '*', host };
  return { target: target.startsWith('/') ? target : `/${target}`, host };
}

const ABSOLUTE_FORM = /^https?:\/\/([^/?]*)([/?][\x21-\x7e\x80-\xff]*)?$/i;

function framingOf(fields: Fields): RequestFraming {
  if (fieldValue(fields, 'transfer-encoding') !== undefined) return CHUNKED;
  const announced = contentLength(fields);
  return announced.kind === 'length' ? announced : NO_BODY;
}

const NO_BODY: RequestFraming = { kind: 'none' };
const CHUNKED: RequestFraming = { kind: 'chunked' };

const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** RFC 9110 section 9.2.1. */
export function isSafe(method: string): boolean {
  return SAFE.has(method);
}

/**
 * Whether a failed request may be sent again: its method is one of `retryMethods`, or it has an Idempotency-Key, by which
 * the client says that repeating it does no harm. An empty key, or an empty string in quotes, does not count.
 */
export function mayRetry(method: string, fields: Fields, retryMethods: readonly string[]): boolean {
  if (retryMethods.includes(method)) return true;
  const key = fieldValue(fields, 'idempotency-key');
  return key !== undefined && key !== '' && key !== '""';
}
