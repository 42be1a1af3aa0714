/** Where a response's body ends: RFC 9112 section 6.3 as a function. */

import { fieldValues, listMembers } from './fields.ts';
import type { ResponseHead } from './response-head.ts';

export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly length: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'close' };

export type FramingResult =
  | { readonly kind: 'framing'; readonly framing: Framing }
  /** `coding`: it is a transfer coding that is not known. */
  | { readonly kind: 'malformed'; readonly why: string; readonly coding: boolean };

const NONE: FramingResult = { kind: 'framing', framing: { kind: 'none' } };
const CHUNKED: FramingResult = { kind: 'framing', framing: { kind: 'chunked' } };
const CLOSE: FramingResult = { kind: 'framing', framing: { kind: 'close' } };

export function responseFraming(method: string, head: ResponseHead): FramingResult {
  const { status, fields } = head;
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return NONE;
  const codings = transferCodings(head);
  if (codings.length === 1 && codings[0] === 'chunked') return CHUNKED;
  if (codings.length > 0) {
    return {
      kind: 'malformed',
      why: `its Transfer-Encoding is "${codings.join(', ').slice(0, 60)}"`,
      coding: true,
    };
  }
  const values = fieldValues(fields, 'content-length').flatMap((value) =>
    value.split(',').map((part) => part.trim()),
  );
  return values.length === 0 ? CLOSE : lengthFraming(values);
}

function lengthFraming(values: readonly string[]): FramingResult {
  const [first = ''] = values;
  if (values.some((value) => value !== first))
    return badLength(`it has different Content-Lengths, ${values.join(' and ')}`);
  if (!/^\d+$/.test(first)) return badLength(`its Content-Length is "${first}"`);
  const length = Number(first);
  if (!Number.isSafeInteger(length)) return badLength(`its Content-Length ${first} is beyond all measure`);
  return { kind: 'framing', framing: { kind: 'length', length } };
}

function badLength(why: string): FramingResult {
  return { kind: 'malformed', why: why.slice(0, 120), coding: false };
}

/** `identity` says nothing (RFC 7230 withdrew it). */
function transferCodings(head: ResponseHead): string[] {
  return fieldValues(head.fields, 'transfer-encoding')
    .flatMap(listMembers)
    .filter((coding) => coding !== 'identity');
}

/** Whether another request may follow on the connection (RFC 9112 section 9.3). */
export function keepsAlive(head: ResponseHead, framing: Framing): boolean {
  if (framing.kind === 'close' || saysClose(head)) return false;
  const coded = fieldValues(head.fields, 'transfer-encoding').length > 0;
  if (!coded) return true;
  return head.minor === 1 && fieldValues(head.fields, 'content-length').length === 0;
}

/** Whether the upstream will close behind this response. */
export function saysClose(head: ResponseHead): boolean {
  const options = fieldValues(head.fields, 'connection').flatMap(listMembers);
  return options.includes('close') || (head.minor === 0 && !options.includes('keep-alive'));
}
