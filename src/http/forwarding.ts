/** The fields that go on, in both directions. */

import { isIPv6 } from 'node:net';
import { fieldValues, withoutFields, withoutHopByHop } from './fields.ts';
import type { Fields } from './fields.ts';

/** What is known of the connection that a request came on. */
export interface Hop {
  readonly clientAddress: string;
  readonly clientPort: number;
  readonly encrypted: boolean;
  readonly localPort: number;
  /** Whether the client's own X-Forwarded-* and Forwarded are believed. */
  readonly trusted: boolean;
  /** Our name in Via. */
  readonly via: string;
}

export interface UpstreamFieldsInput {
  readonly fields: Fields;
  readonly minor: 0 | 1;
  readonly hop: Hop;
  /** The Host to send. */
  readonly host: string;
  /** The Content-Length to send; null: none. */
  readonly bodyBytes: number | null;
}

const FORWARDED: ReadonlySet<string> = new Set([
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
]);
const EXPECT: ReadonlySet<string> = new Set(['expect']);

/** A request's fields for the upstream, whose connection we keep (RFC 9110 section 7.6). */
export function upstreamFields(input: UpstreamFieldsInput): string[] {
  const { fields, minor, hop, host, bodyBytes } = input;
  const endToEnd = withoutFields(withoutHopByHop(fields), EXPECT);
  const received = hop.trusted ? endToEnd : withoutFields(endToEnd, FORWARDED);
  const hosted = withOne(received, 'Host', host, 'first');
  const framed = withOne(hosted, 'Content-Length', bodyBytes === null ? null : String(bodyBytes), 'last');
  const [clientHost = host] = fieldValues(fields, 'host');
  const forwarded = forwardedFields(framed, hop, clientHost);
  return [
    ...appendedToLists(framed, forwarded.lists),
    ...forwarded.kept,
    'Via',
    `1.${minor} ${hop.via}`,
    'Connection',
    'keep-alive',
  ];
}

/** The field once, where it first stood, with this value; `null`: not at all. */
function withOne(fields: Fields, name: string, value: string | null, missing: 'first' | 'last'): string[] {
  const lower = name.toLowerCase();
  const result: string[] = [];
  let placed = value === null;
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const field = fields[index] ?? '';
    if (field.toLowerCase() !== lower) {
      result.push(field, fields[index + 1] ?? '');
    } else if (!placed && value !== null) {
      result.push(field, value);
      placed = true;
    }
  }
  if (placed || value === null) return result;
  return missing === 'first' ? [name, value, ...result] : [...result, name, value];
}

interface ForwardedFields {
  /** Lists to which this hop is appended, by lower-case name. */
  readonly lists: readonly (readonly [name: string, value: string])[];
  /** Fields that say how the first client came; added where no trusted peer has said it. */
  readonly kept: readonly string[];
}

function forwardedFields(fields: Fields, hop: Hop, clientHost: string): ForwardedFields {
  const address = hop.clientAddress.replace(/^::ffff:(?=\d+\.)/i, '');
  const proto = hop.encrypted ? 'https' : 'http';
  const single: readonly (readonly [string, string])[] = [
    ['X-Forwarded-Proto', proto],
    ['X-Forwarded-Host', clientHost],
    ['X-Forwarded-Port', String(hop.localPort)],
  ];
  return {
    lists: [
      ['X-Forwarded-For', address],
      ['Forwarded', forwardedElement(address, clientHost, proto)],
    ],
    kept: single.flatMap(([name, value]) =>
      fieldValues(fields, name.toLowerCase()).length > 0 ? [] : [name, value],
    ),
  };
}

/** RFC 7239 section 4: an IPv6 address is bracketed, and what is no token is quoted. */
function forwardedElement(address: string, host: string, proto: string): string {
  const node = isIPv6(address) ? `"[${address}]"` : tokenOrQuoted(address === '' ? 'unknown' : address);
  const parts = [`for=${node}`, `proto=${proto}`];
  if (host !== '') parts.splice(1, 0, `host=${tokenOrQuoted(host)}`);
  return parts.join(';');
}

function tokenOrQuoted(value: string): string {
  return /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(value) ? value : `"${value.replace(/[\\"]/g, '\\$&')}"`;
}

/** Appends to the last field of the name, so that the order of hops is kept; adds one where there is none. */
function appendedToLists(fields: Fields, lists: ForwardedFields['lists']): string[] {
  const result = [...fields];
  for (const [name, value] of lists) {
    const at = lastIndexOf(result, name.toLowerCase());
    if (at < 0) result.push(name, value);
    else result[at + 1] = `${result[at + 1] ?? ''}, ${value}`;
  }
  return result;
}

function lastIndexOf(fields: Fields, name: string): number {
  for (let index = fields.length - 2; index >= 0; index -= 2) {
    if (fields[index]?.toLowerCase() === name) return index;
  }
  return -1;
}

/** The names of the intermediaries that a message has passed (RFC 9110 section 7.6.3). */
export function viaNames(fields: Fields): string[] {
  return fieldValues(fields, 'via')
    .flatMap((value) => value.split(','))
    .flatMap((member) =>
      member
        .trim()
        .split(/[ \t]+/)
        .slice(1, 2),
    );
}

export interface ClientFieldsInput {
  readonly fields: Fields;
  readonly status: number;
  readonly method: string;
  /** The exact length of the body that follows; null: none follows, or its end is not known. */
  readonly length: number | null;
}

const LENGTH: ReadonlySet<string> = new Set(['content-length']);

/** A response's fields for the client. */
export function clientFields(input: ClientFieldsInput): string[] {
  const { fields, status, method, length } = input;
  const endToEnd = withoutHopByHop(fields);
  if (length !== null) return withOne(endToEnd, 'Content-Length', String(length), 'last');
  // Of a body that is not sent, the length says how long it would be (RFC 9110 section 8.6).
  const tells =
    (method === 'HEAD' || status === 304) && fieldValues(fields, 'transfer-encoding').length === 0;
  const [told] = fieldValues(fields, 'content-length');
  return tells && told !== undefined
    ? withOne(endToEnd, 'Content-Length', told, 'last')
    : withoutFields(endToEnd, LENGTH);
}

/** One line a field, each with its CRLF. */
export function serializeFields(fields: Fields): string {
  let lines = '';
  for (let index = 0; index + 1 < fields.length; index += 2)
    lines += `${fields[index] ?? ''}: ${fields[index + 1] ?? ''}\r\n`;
  return lines;
}
