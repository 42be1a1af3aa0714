/** The upstream's own address in its responses, which would lead the client past the proxy, and what it is told instead. */

import { eachField } from './fields.ts';
import type { Fields } from './fields.ts';

export interface Address {
  readonly scheme: 'http' | 'https';
  /** As in a Host field: without the scheme's default port, IPv6 in brackets. */
  readonly authority: string;
}

export interface Addresses {
  /** As the upstream knows itself. */
  readonly upstream: Address;
  /** As the client called it. */
  readonly client: Address;
}

export interface RenamedFields {
  readonly fields: Fields;
  /** Of the fields that were changed, each once. */
  readonly renamed: readonly string[];
}

type Rename = (value: string, addresses: Addresses) => string;

const RENAMES: ReadonlyMap<string, Rename> = new Map([
  ['location', renamedUrl],
  ['content-location', renamedUrl],
  ['refresh', renamedRefresh],
  ['set-cookie', renamedCookie],
]);

/** Whether there is any field that could name an address. */
export function mayNameAddress(fields: Fields): boolean {
  return fields.some((name, index) => index % 2 === 0 && RENAMES.has(name.toLowerCase()));
}

/** Never touches the address of a third party. */
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

/** RFC 9110 sections 8.7 and 10.2.2. A path alone leads nowhere else. In a Refresh, a quotation mark may end it. */
const ABSOLUTE = /^(?:(https?):)?\/\/([^/?#\\@"']*)(?=[/?#"']|$)/i;

function renamedUrl(url: string, { upstream, client }: Addresses): string {
  const match = ABSOLUTE.exec(url);
  if (match === null) return url;
  const [start, written, authority = ''] = match;
  const scheme = written === undefined ? upstream.scheme : schemeOf(written);
  // A redirect from http to https, renamed, would lead back to where it came from.
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

/** What a server on this machine may call itself, whichever of these it was reached at. */
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
 * RFC 6265 section 5.2.3. A Domain that holds the upstream is its own, because a browser believes no other; one that holds
 * the client's name as well is right as it is.
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
