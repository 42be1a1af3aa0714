/** Deliberate changes: a request's path and fields, as its route configures, and the upstream's own address in a response. */

import { ProxyError } from '../errors.ts';
import { eachField, withoutFields } from './fields.ts';
import type { Fields } from './fields.ts';
import { originForm } from './request.ts';
import type { Request } from './request.ts';

export interface Rewriting {
  /** Maps path and query to those that are forwarded; null: unchanged. */
  readonly path: ((path: string) => string) | null;
  /** Replace the client's fields of the same names. */
  readonly fields: Fields;
}

export interface Rewritten {
  readonly request: Request;
  /** The path could not be rewritten. */
  readonly fault: ProxyError | null;
}

/** @param url the target; without the mount path, where another server has removed that */
export function rewrittenRequest(request: Request, url: string, rewriting: Rewriting): Rewritten {
  const fields = withFields(request.fields, rewriting.fields);
  const { target } = originForm(url, request.method);
  if (rewriting.path === null || target === '*')
    return { request: { ...request, target, fields }, fault: null };
  const result = rewrittenPath(target, rewriting.path);
  if (result instanceof ProxyError) return { request: { ...request, target, fields }, fault: result };
  return { request: { ...request, target: result, fields }, fault: null };
}

/** A path that is valid in a request line (RFC 9112 section 3.2.1); a space would end it. */
const PATH = /^\/[\x21-\x7e\x80-\xff]*$/;

function rewrittenPath(target: string, rewrite: (path: string) => unknown): string | ProxyError {
  try {
    const path = rewrite(target);
    if (typeof path === 'string' && PATH.test(path)) return path;
    const what =
      typeof path === 'string' ? 'text that cannot be sent as a path' : `no text, but ${typeof path}`;
    return new ProxyError(
      'internal_error',
      `The rewrite function returned ${what}: it must begin with "/" and have no spaces.`,
    );
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    return new ProxyError('internal_error', `The rewrite function failed: ${why}`, { cause });
  }
}

function withFields(fields: Fields, own: Fields): Fields {
  if (own.length === 0) return fields;
  const names = own.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
  return [...withoutFields(fields, new Set(names)), ...own];
}

export interface Address {
  readonly scheme: 'http' | 'https';
  /** As in a Host field: without the scheme's default port, and with IPv6 in brackets. */
  readonly authority: string;
}

export interface Addresses {
  /** The address by which the upstream knows itself. */
  readonly upstream: Address;
  /** The address that the client requested. */
  readonly client: Address;
}

export interface RenamedFields {
  readonly fields: Fields;
  /** Names of the changed fields, each once. */
  readonly renamed: readonly string[];
}

type Rename = (value: string, addresses: Addresses) => string;

const RENAMES: ReadonlyMap<string, Rename> = new Map([
  ['location', renamedUrl],
  ['content-location', renamedUrl],
  ['refresh', renamedRefresh],
  ['set-cookie', renamedCookie],
]);

/** Whether any field can hold an address. */
export function mayNameAddress(fields: Fields): boolean {
  let isName = true;
  for (const part of fields) {
    if (isName && RENAMES.has(part.toLowerCase())) return true;
    isName = !isName;
  }
  return false;
}

/** Replaces the upstream's own address by the one that the client requested; never changes a third party's. */
export function renameOwnAddress(fields: Fields, addresses: Addresses): RenamedFields {
  const kept: string[] = [];
  const renamed = new Set<string>();
  eachField(fields, (name, value) => {
    const changed = RENAMES.get(name.toLowerCase())?.(value, addresses) ?? value;
    if (changed !== value) renamed.add(name);
    kept.push(name, changed);
  });
  return renamed.size === 0 ? { fields, renamed: [] } : { fields: kept, renamed: [...renamed] };
}

/** RFC 9110 sections 8.7 and 10.2.2. A path alone needs no change. In a Refresh, a quotation mark may end the URL. */
const ABSOLUTE = /^(?:(https?):)?\/\/([^/?#\\@"']*)(?=[/?#"']|$)/i;

function renamedUrl(url: string, { upstream, client }: Addresses): string {
  const match = ABSOLUTE.exec(url);
  if (match === null) return url;
  const [start, written, authority = ''] = match;
  const scheme = written === undefined ? upstream.scheme : schemeOf(written);
  // Rewriting a redirect from http to https would redirect to the same URL again.
  if (scheme !== upstream.scheme && scheme !== client.scheme) return url;
  if (!isSameSite(authority.replace(DEFAULT_PORTS[scheme], ''), upstream.authority)) return url;
  return `${written === undefined ? '' : `${client.scheme}:`}//${client.authority}${url.slice(start.length)}`;
}

function schemeOf(written: string): Address['scheme'] {
  return written.toLowerCase() === 'https' ? 'https' : 'http';
}

const DEFAULT_PORTS: Readonly<Record<Address['scheme'], RegExp>> = { http: /:(?:80)?$/, https: /:(?:443)?$/ };

function isSameSite(authority: string, own: string): boolean {
  const [host, port] = split(authority);
  const [ownHost, ownPort] = split(own);
  return port === ownPort && isSameHost(host, ownHost);
}

function split(authority: string): readonly [host: string, port: string] {
  const port = /:\d*$/.exec(authority)?.[0] ?? '';
  return [authority.slice(0, authority.length - port.length).toLowerCase(), port];
}

/** Names that a local server may use for itself, whichever of them the request used. */
const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]', '0.0.0.0', '[::]']);

function isSameHost(host: string, own: string): boolean {
  return host === own || (LOOPBACK.has(host) && LOOPBACK.has(own));
}

/** Not in an RFC: `5; url=http://…`, with or without `url=` and quotes (WHATWG HTML, shared declarative refresh). */
function renamedRefresh(value: string, addresses: Addresses): string {
  return value.replace(
    /^([\d.]+[ \t]*[;,][ \t]*(?:url[ \t]*=[ \t]*)?["']?)(.+)$/i,
    (_all, start: string, url: string) => `${start}${renamedUrl(url, addresses)}`,
  );
}

/**
 * RFC 6265 section 5.2.3. A Domain that includes the upstream's host is its own, because browsers accept no other. One
 * that includes the client's host as well needs no change.
 */
function renamedCookie(value: string, { upstream, client }: Addresses): string {
  const [upstreamHost] = split(upstream.authority);
  const [clientHost] = split(client.authority);
  const [pair, ...attributes] = value.split(';');
  const changed = attributes.map((attribute) => {
    const [, start = '', domain = ''] = /^([ \t]*domain[ \t]*=[ \t]*)([^ \t]+)[ \t]*$/i.exec(attribute) ?? [];
    const name = domain.replace(/^\./, '').toLowerCase();
    const isOwn = isSameHost(name, upstreamHost) || upstreamHost.endsWith(`.${name}`);
    if (name === '' || !isOwn || clientHost === name || clientHost.endsWith(`.${name}`)) return attribute;
    return `${start}${clientHost}`;
  });
  return [pair, ...changed].join(';');
}
