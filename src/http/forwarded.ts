/** What the upstream is told about the client: X-Forwarded-*, and Forwarded (RFC 7239). */

import { fieldValue, fieldValues } from './fields.ts';
import type { Fields } from './fields.ts';

/** One hop: the connection that a request came on. */
export interface Hop {
  /** As the socket has it; the name `unknown` where there is none. */
  readonly clientAddress: string;
  /** 0: not known. */
  readonly clientPort: number;
  readonly encrypted: boolean;
  /** 0: there is none, as on a unix socket. */
  readonly localPort: number;
  /** Whether the peer may speak for other clients. */
  readonly trusted: boolean;
  /** Our pseudonym in Via. */
  readonly via: string;
}

const LISTS: ReadonlySet<string> = new Set(['forwarded', 'x-forwarded-for']);
const SINGLES: ReadonlySet<string> = new Set(['x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-port']);

/**
 * Whether a field does not go on as it came, because it speaks of clients. The two lists are written anew at the end, in
 * one line each, because servers differ in which of several lines they read. A name with underscores is the same variable
 * to CGI and WSGI: it would let anyone say what only a trusted peer may.
 *
 * @param name in lower case
 */
export function isForwardedClaim(name: string, trusted: boolean): boolean {
  const variable = name.includes('_') ? name.replaceAll('_', '-') : name;
  if (LISTS.has(variable)) return true;
  return SINGLES.has(variable) && (!trusted || name !== variable);
}

/** Adds the fields to `kept`. @param fields as the client sent them, with its own Host */
export function addForwarded(kept: string[], fields: Fields, hop: Hop): void {
  const host = fieldValue(fields, 'host');
  const proto = hop.encrypted ? 'https' : 'http';
  const address = bareAddress(hop.clientAddress);
  addToList(kept, 'X-Forwarded-For', fields, hop, address);
  addSingle(kept, 'X-Forwarded-Proto', fields, hop, proto);
  if (host !== undefined) addSingle(kept, 'X-Forwarded-Host', fields, hop, host);
  if (hop.localPort !== 0) addSingle(kept, 'X-Forwarded-Port', fields, hop, String(hop.localPort));
  addToList(kept, 'Forwarded', fields, hop, forwardedElement(address, hop.clientPort, host, proto));
}

function addToList(kept: string[], name: string, fields: Fields, hop: Hop, value: string): void {
  const before = hop.trusted ? fieldValues(fields, name.toLowerCase()).filter((one) => one !== '') : [];
  kept.push(name, before.length === 0 ? value : [...before, value].join(', '));
}

function addSingle(kept: string[], name: string, fields: Fields, hop: Hop, value: string): void {
  if (!hop.trusted || fieldValue(fields, name.toLowerCase()) === undefined) kept.push(name, value);
}

/** IPv4 as IPv4, also on a socket that listens for both; no zone, which means nothing on another machine. */
function bareAddress(address: string): string {
  if (!address.includes(':')) return address;
  return address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
}

/** RFC 7239 section 4. A colon or a bracket is not part of a token: with a port, or IPv6, the value is quoted (section 6). */
function forwardedElement(address: string, port: number, host: string | undefined, proto: string): string {
  const node = address.includes(':') ? `[${address}]` : address;
  const client = port === 0 || address === 'unknown' ? tokenOrQuoted(node) : `"${node}:${port}"`;
  const site = host === undefined ? '' : `;host=${tokenOrQuoted(host)}`;
  return `for=${client}${site};proto=${proto}`;
}

function tokenOrQuoted(value: string): string {
  if (/^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/.test(value)) return value;
  return `"${value.replace(/["\\]/g, '\\$&')}"`;
}
