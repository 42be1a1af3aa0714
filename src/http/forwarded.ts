/** What the upstream is told about the client: X-Forwarded-*, X-Real-IP, and Forwarded (RFC 7239). */

import { isIP } from 'node:net';
import { fieldValue, fieldValues, isForwardedName, listParts } from './fields.ts';
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

/**
 * Whether a field does not go on as it came, because it speaks of clients. The two lists are written again at the end, in
 * one line each, because servers differ in which of several lines they read. A name with underscores is the same variable
 * to CGI and WSGI: it would let anyone say what only a trusted peer may.
 *
 * @param name in lower case
 */
export function isForwardedClaim(name: string, trusted: boolean): boolean {
  const variable = name.includes('_') ? name.replaceAll('_', '-') : name;
  return isForwardedName(variable) && (!trusted || name !== variable || LISTS.has(name));
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
  const real = realAddress(fields, hop, address);
  if (isIP(real) !== 0) addSingle(kept, 'X-Real-IP', fields, hop, real);
  addToList(kept, 'Forwarded', fields, hop, forwardedElement(address, hop.clientPort, host, proto));
}

function addToList(kept: string[], name: string, fields: Fields, hop: Hop, value: string): void {
  const before = hop.trusted ? fieldValues(fields, name.toLowerCase()).filter((one) => one !== '') : [];
  kept.push(name, before.length === 0 ? value : [...before, value].join(', '));
}

function addSingle(kept: string[], name: string, fields: Fields, hop: Hop, value: string): void {
  if (!hop.trusted || fieldValue(fields, name.toLowerCase()) === undefined) kept.push(name, value);
}

/** A trusted peer speaks for the client that it names last: that one it saw itself. */
function realAddress(fields: Fields, { trusted }: Hop, address: string): string {
  if (!trusted) return address;
  const named = fieldValues(fields, 'x-forwarded-for').flatMap(listParts).at(-1) ?? '';
  return isIP(named) === 0 ? address : named;
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
