/** Where a message ends (RFC 9112 section 6.3), whether its connection can be reused, and whether only by the same client. */

import { connectionOptions, fieldValue, fieldValues, listMembers, trimOws } from './fields.ts';
import type { Fields } from './fields.ts';
import { quoted } from './quoted.ts';
import type { ResponseHead } from './response-head.ts';

/**
 * - `none`: there is no body, whatever the fields say
 * - `length`: the body has this many bytes
 * - `chunked`: the last chunk ends it
 * - `close`: the end of the connection ends it, and nothing proves that it is complete
 */
export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly length: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'close' };

/** `coding`: the reason is an unsupported transfer coding. */
export type FramingResult =
  | { readonly kind: 'framing'; readonly framing: Framing }
  | { readonly kind: 'malformed'; readonly why: string; readonly coding: boolean };

const NONE: FramingResult = { kind: 'framing', framing: { kind: 'none' } };
const CHUNKED: FramingResult = { kind: 'framing', framing: { kind: 'chunked' } };
const CLOSE: FramingResult = { kind: 'framing', framing: { kind: 'close' } };

/**
 * Transfer-Encoding overrides Content-Length, also in HTTP/1.0: only the last chunk can then end the body, so a partial
 * body is not taken for a complete one. `keepsAlive` does not allow such a connection to be reused.
 *
 * @param method of the request
 */
export function responseFraming(method: string, head: ResponseHead): FramingResult {
  const { status, fields } = head;
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return NONE;
  const codings = transferCodings(fields);
  if (codings !== null) return codedFraming(codings);
  const announced = contentLength(fields);
  if (announced.kind === 'malformed') return { ...announced, coding: false };
  return announced.kind === 'absent' ? CLOSE : { kind: 'framing', framing: announced };
}

function codedFraming(codings: readonly string[]): FramingResult {
  if (codings.length === 1 && codings[0] === 'chunked') return CHUNKED;
  const value = codings.join(', ');
  const unknown = codings.some((coding) => coding !== 'chunked');
  if (unknown) return { kind: 'malformed', why: `its transfer coding is ${quoted(value)}`, coding: true };
  const why = value === '' ? 'its Transfer-Encoding field is empty' : 'it is chunked more than once';
  return { kind: 'malformed', why, coding: false };
}

/** The transfer codings in lower case, in order; null: none. `identity` alone means none (RFC 2616 section 3.6). */
function transferCodings(fields: Fields): string[] | null {
  const values = fieldValues(fields, 'transfer-encoding');
  if (values.length === 0) return null;
  const codings = values.flatMap(listMembers);
  const isAbsent = codings.length > 0 && codings.every((one) => one === 'identity');
  return isAbsent ? null : codings;
}

export type AnnouncedLength =
  | { readonly kind: 'absent' }
  | { readonly kind: 'length'; readonly length: number }
  | { readonly kind: 'malformed'; readonly why: string };

/** The value of Content-Length. Repeats of one number count as that number (RFC 9110 section 8.6). */
export function contentLength(fields: Fields): AnnouncedLength {
  let length: number | null = null;
  for (const value of fieldValues(fields, 'content-length')) {
    for (const part of value.split(',')) {
      const text = trimOws(part);
      const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
      if (!Number.isSafeInteger(number)) {
        return { kind: 'malformed', why: `its Content-Length ${quoted(text)} is not a length` };
      }
      if (length !== null && length !== number) {
        return { kind: 'malformed', why: `it has two Content-Lengths, ${length} and ${number}` };
      }
      length = number;
    }
  }
  return length === null ? { kind: 'absent' } : { kind: 'length', length };
}

/**
 * Whether another request may be sent on this connection (RFC 9112 section 9.3). Not where the framing is in doubt, which
 * is with both Transfer-Encoding and Content-Length, or with Transfer-Encoding in HTTP/1.0 (RFC 9112 section 6.1).
 */
export function keepsAlive(head: ResponseHead, framing: Framing): boolean {
  if (framing.kind === 'close' || saysClose(head)) return false;
  if (fieldValue(head.fields, 'transfer-encoding') === undefined) return true;
  return head.minor === 1 && fieldValue(head.fields, 'content-length') === undefined;
}

/** Whether the upstream will close this connection: it says so, or speaks HTTP/1.0 and does not say otherwise. */
export function saysClose(head: ResponseHead): boolean {
  const options = connectionOptions(head.fields);
  return options.includes('close') || (head.minor === 0 && !options.includes('keep-alive'));
}

/** These schemes authenticate a connection instead of a request (RFC 4559 section 6). */
const SCHEME = /(?:^|,)[ \t]*(?:NTLM|Negotiate)(?:[ \t,]|$)/i;

/** Whether the request authenticates its connection, or attempts to. */
export function logsConnectionIn(requestFields: Fields): boolean {
  return namesScheme(requestFields, 'authorization') || namesScheme(requestFields, 'proxy-authorization');
}

/** Whether the response asks the client to authenticate the connection. */
export function asksForConnectionLogin(status: number, fields: Fields): boolean {
  if (status === 401) return namesScheme(fields, 'www-authenticate');
  return status === 407 && namesScheme(fields, 'proxy-authenticate');
}

function namesScheme(fields: Fields, name: string): boolean {
  return fieldValues(fields, name).some((value) => SCHEME.test(value));
}
