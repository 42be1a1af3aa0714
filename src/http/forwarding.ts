/** Which fields go on, toward the upstream and toward the client, and what is said in the place of the others. */

import { isIP } from 'node:net';
import {
  eachField,
  fieldValue,
  fieldValues,
  hopByHopNames,
  isForwardedName,
  listParts,
  withoutFields,
} from './fields.ts';
import type { Fields } from './fields.ts';
import { contentLength } from './framing.ts';

export interface UpstreamFieldsInput {
  /** As the client sent them. */
  readonly fields: Fields;
  readonly minor: 0 | 1;
  readonly hop: Hop;
  /** The Host to send. */
  readonly host: string;
  /** The Content-Length to send; null: there is no body, and none is to be announced. */
  readonly bodyBytes: number | null;
}

/**
 * A request's fields for the upstream: end-to-end fields in the client's order, then what this hop adds. The upstream is
 * always asked to keep the connection, because many that close it cut their answer (RFC 9112 section 9.6).
 */
export function upstreamFields(input: UpstreamFieldsInput): string[] {
  const { fields, minor, hop, host, bodyBytes } = input;
  const length = bodyBytes === null ? null : String(bodyBytes);
  const stopped = hopByHopNames(fields);
  const kept: string[] = [];
  let hostIsSent = false;
  let lengthIsSent = length === null;
  eachField(fields, (name, value) => {
    const lower = name.toLowerCase();
    if (isForwardedClaim(lower, hop.trusted)) return;
    if (lower === 'host') {
      if (!hostIsSent) kept.push(name, host);
      hostIsSent = true;
    } else if (FRAMING.has(lower)) {
      if (!lengthIsSent && length !== null) kept.push('Content-Length', length);
      lengthIsSent = true;
    } else if (lower !== 'expect' && !stopped.has(lower)) {
      kept.push(name, value);
    }
  });
  if (!hostIsSent) kept.unshift('Host', host);
  if (!lengthIsSent && length !== null) kept.push('Content-Length', length);
  addForwarded(kept, fields, hop);
  kept.push('Via', `1.${minor} ${hop.via}`, 'Connection', 'keep-alive');
  return kept;
}

const FRAMING: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding']);

/** The received-by of each Via member, in the case it came in (RFC 9110 section 7.6.3). For finding loops. */
export function viaNames(fields: Fields): string[] {
  const values = fieldValues(fields, 'via');
  if (values.length === 0) return [];
  return values
    .flatMap((value) => listParts(value.replace(/\([^()]*\)/g, '')))
    .flatMap((member) => member.split(/[ \t]+/).slice(1, 2));
}

export interface ClientFieldsInput {
  /** As the upstream sent them. */
  readonly fields: Fields;
  readonly status: number;
  /** Of the request. */
  readonly method: string;
  /** The exact length of the body; null: none is sent, or it streams. */
  readonly length: number | null;
}

/**
 * A response's fields for the client. They are safe for writeHead as far as the response parser let them through: it
 * accepts the same names and values as Node does.
 */
export function clientFields(input: ClientFieldsInput): string[] {
  const stopped = hopByHopNames(input.fields);
  const length = lengthToSend(input);
  const kept: string[] = [];
  let lengthIsSent = length === null;
  eachField(input.fields, (name, value) => {
    const lower = name.toLowerCase();
    if (lower === 'content-length') {
      if (!lengthIsSent && length !== null) kept.push(name, length);
      lengthIsSent = true;
    } else if (!stopped.has(lower)) {
      kept.push(name, value);
    }
  });
  if (!lengthIsSent && length !== null) kept.push('Content-Length', length);
  if (input.status === 426) keepUpgrade(kept, input.fields);
  return kept;
}

/** A 426 says which protocol is required (RFC 9110 section 15.5.22), and Connection names the field (section 7.8). */
function keepUpgrade(kept: string[], fields: Fields): void {
  const protocols = fieldValues(fields, 'upgrade');
  if (protocols.length > 0) kept.push('Upgrade', protocols.join(', '), 'Connection', 'Upgrade');
}

/**
 * 1xx and 204 never carry a length (RFC 9110 section 8.6). To HEAD and in a 304 it is that of a body which is not sent,
 * so nothing proves it: it goes on as it came, unless it cannot be true.
 */
function lengthToSend({ fields, status, method, length }: ClientFieldsInput): string | null {
  if (status < 200 || status === 204) return null;
  if (length !== null && method !== 'HEAD' && status !== 304) return String(length);
  if (fieldValue(fields, 'transfer-encoding') !== undefined) return null;
  const announced = contentLength(fields);
  return announced.kind === 'length' ? String(announced.length) : null;
}

const LENGTH: ReadonlySet<string> = new Set(['content-length']);

/**
 * The fields in an order in which Node leaves their bytes alone: it decodes a Content-Disposition that it meets after a
 * length (nodejs/node#58240). Between fields of different names the order has no meaning (RFC 9110 section 5.3).
 */
export function lengthLast(fields: Fields): Fields {
  if (!fieldValues(fields, 'content-disposition').some((value) => /[\x80-\xff]/.test(value))) return fields;
  const lengths = fieldValues(fields, 'content-length').flatMap((value) => ['Content-Length', value]);
  return lengths.length === 0 ? fields : [...withoutFields(fields, LENGTH), ...lengths];
}

/** One line a field, as on the wire. */
export function serializeFields(fields: Fields): string {
  let lines = '';
  let isName = true;
  for (const part of fields) {
    lines += isName ? `${part}: ` : `${part}\r\n`;
    isName = !isName;
  }
  return lines;
}

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
function addForwarded(kept: string[], fields: Fields, hop: Hop): void {
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
