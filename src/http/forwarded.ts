/** What the upstream is told about the client: X-Forwarded-*, and Forwarded (RFC 7239). */

import { isIPv6 } from 'node:net';
import { eachField, fieldValue, fieldValues } from './fields.ts';
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
 * The fields that go on as they came. The two lists are written anew at the end, in one line each, because servers
 * differ in which of several lines they read. A name with underscores is the same variable to CGI and WSGI: it would
 * let anyone say what only a trusted peer may.
 */
export function withoutForwarded(fields: Fields, trusted: boolean): string[] {
  const kept: string[] = [];
  eachField(fields, (name, value) => {
    const lower = name.toLowerCase();
    const variable = lower.includes('_') ? lower.replaceAll('_', '-') : lower;
    const isSingle = SINGLES.has(variable);
    if (LISTS.has(variable) || (isSingle && (!trusted || lower !== variable))) return;
    kept.push(name, value);
  });
  return kept;
}

/** The fields to add. @param fields as the client sent them, with its own Host */
export function forwardedFields(fields: Fields, hop: Hop): string[] {
  const host = fieldValue(fields, 'host');
  const proto = hop.encrypted ? 'https' : 'http';
  const address = bareAddress(hop.clientAddress);
  return [
    ...list('X-Forwarded-For', fields, hop, address),
    ...single('X-Forwarded-Proto', fields, hop, proto),
    ...(host === undefined ? [] : single('X-Forwarded-Host', fields, hop, host)),
    ...(hop.localPort === 0 ? [] : single('X-Forwarded-Port', fields, hop, String(hop.localPort))),
    ...list('Forwarded', fields, hop, forwardedElement(address, hop.clientPort, host, proto)),
  ];
}

function list(name: string, fields: Fields, hop: Hop, value: string): string[] {
  if (!hop.trusted) return [name, value];
  const before = fieldValues(fields, name.toLowerCase()).filter((one) => one !== '');
  return [name, [...before, value].join(', ')];
}

function single(name: string, fields: Fields, hop: Hop, value: string): string[] {
  return hop.trusted && fieldValue(fields, name.toLowerCase()) !== undefined ? [] : [name, value];
}

/** IPv4 as IPv4, also on a socket that listens for both; no zone, which means nothing on another machine. */
function bareAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
}

/** RFC 7239 section 4. */
function forwardedElement(address: string, port: number, host: string | undefined, proto: string): string {
  const node = isIPv6(address) ? `[${address}]` : address;
  const client = port === 0 || address === 'unknown' ? node : `${node}:${port}`;
  const pairs = [`for=${tokenOrQuoted(client)}`];
  if (host !== undefined) pairs.push(`host=${tokenOrQuoted(host)}`);
  return [...pairs, `proto=${proto}`].join(';');
}

/** A colon or a bracket is not part of a token: with a port, or IPv6, the value is quoted (RFC 7239 section 6). */
function tokenOrQuoted(value: string): string {
  if (/^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/.test(value)) return value;
  return `"${value.replace(/["\\]/g, '\\$&')}"`;
}
