/** What is changed about a request before it goes on, as its route asks for: the path, and some fields. */

import { ProxyError } from '../errors.ts';
import { withoutFields } from './fields.ts';
import type { Fields } from './fields.ts';
import type { Request } from './request.ts';
import { originForm } from './request-check.ts';

export interface Rewriting {
  /** Path and query as they come → as they go on; null: unchanged. */
  readonly path: ((path: string) => string) | null;
  /** Sent in the place of the client's fields of the same names. */
  readonly fields: Fields;
}

export interface Rewritten {
  readonly request: Request;
  /** The path could not be rewritten. */
  readonly fault: ProxyError | null;
}

/** @param url what is left of the target, where a server in front has taken away the path that it is mounted at */
export function rewrittenRequest(request: Request, url: string, rewriting: Rewriting): Rewritten {
  const fields = withFields(request.fields, rewriting.fields);
  const { target } = originForm(url, request.method);
  if (rewriting.path === null || target === '*')
    return { request: { ...request, target, fields }, fault: null };
  const result = rewrittenPath(target, rewriting.path);
  if (result instanceof ProxyError) return { request: { ...request, target, fields }, fault: result };
  return { request: { ...request, target: result, fields }, fault: null };
}

/** What may stand in a request line (RFC 9112 section 3.2.1); a space would end it. */
const PATH = /^\/[\x21-\x7e\x80-\xff]*$/;

function rewrittenPath(target: string, rewrite: (path: string) => unknown): string | ProxyError {
  try {
    const path = rewrite(target);
    if (typeof path === 'string' && PATH.test(path)) return path;
    const what =
      typeof path === 'string' ? 'text that cannot be sent as a path' : `no text, but ${typeof path}`;
    return new ProxyError(
      'internal_error',
      `The function rewrite returned ${what}: it must begin with "/" and have no spaces.`,
    );
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    return new ProxyError('internal_error', `The function rewrite failed: ${why}`, { cause });
  }
}

function withFields(fields: Fields, own: Fields): Fields {
  if (own.length === 0) return fields;
  const names = own.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
  return [...withoutFields(fields, new Set(names)), ...own];
}
