/** Which fields are forwarded to the upstream and to the client, and which this hop adds or replaces. */

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
  /** The Content-Length to send; null: the request has no body, so none is sent. */
  readonly bodyBytes: number | null;
}

/**
 * A request's fields for the upstream: end-to-end fields in the client's order, then what this hop adds. The upstream is
 * always asked to keep the connection open, because many servers that close it cut their response (RFC 9112 section 9.6).
 */
export function upstreamFields(input: UpstreamFieldsInput): string[] {
  const { fields, minor, hop, host, bodyBytes } = input;
  const length = bodyBytes === null ? null : String(bodyBytes);
  const hopByHop = hopByHopNames(fields);
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
    } else if (lower !== 'expect' && !hopByHop.has(lower)) {
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

/** The received-by of each Via member, in its original case (RFC 9110 section 7.6.3). For loop detection. */
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
  /** The request's method. */
  readonly method: string;
  /** The exact length of the body; null: no body is sent, or it is streamed. */
  readonly length: number | null;
}

/**
 * A response's fields for the client. They are safe for writeHead, because the response parser accepts only names and
 * values that Node accepts too.
 */
export function clientFields(input: ClientFieldsInput): string[] {
  const hopByHop = hopByHopNames(input.fields);
  const length = lengthToSend(input);
  const kept: string[] = [];
  let lengthIsSent = length === null;
  eachField(input.fields, (name, value) => {
    const lower = name.toLowerCase();
    if (lower === 'content-length') {
      if (!lengthIsSent && length !== null) kept.push(name, length);
      lengthIsSent = true;
    } else if (!hopByHop.has(lower)) {
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
 * 1xx and 204 never have a length (RFC 9110 section 8.6). In a response to HEAD and in a 304, it is the length of a body
 * that is not sent and so cannot be checked: it is forwarded unchanged if it is valid.
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
 * The fields in an order in which Node does not change their bytes: it re-encodes a Content-Disposition that follows a
 * Content-Length (nodejs/node#58240). The order of fields with different names has no meaning (RFC 9110 section 5.3).
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

/** One hop: the connection on which a request arrived. */
export interface Hop {
  /** The socket's remote address; `unknown` where it has none. */
  readonly clientAddress: string;
  /** 0: not known. */
  readonly clientPort: number;
  readonly encrypted: boolean;
  /** 0: none, as on a unix socket. */
  readonly localPort: number;
  /** Whether the peer's claims about other clients are trusted. */
  readonly trusted: boolean;
  /** Our pseudonym in Via. */
  readonly via: string;
}

const LISTS: ReadonlySet<string> = new Set(['forwarded', 'x-forwarded-for']);

/**
 * Whether a field is not forwarded unchanged, because it describes clients. The two lists are written at the end, as one
 * line each, because servers differ in which of several lines they read. CGI and WSGI map a name with underscores to the
 * same variable: forwarded, it would let any client claim what only a trusted peer may.
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
  const real = originalClient(fields, hop, address);
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

/** A trusted peer forwards for the last client in its list, which is the peer that it saw itself. */
function originalClient(fields: Fields, { trusted }: Hop, address: string): string {
  if (!trusted) return address;
  const named = fieldValues(fields, 'x-forwarded-for').flatMap(listParts).at(-1) ?? '';
  return isIP(named) === 0 ? address : named;
}

/** IPv4 as IPv4, also on a dual-stack socket; without the zone, which has no meaning on another machine. */
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
