/** Which upgrade offers are forwarded, and which are ignored (RFC 9110 section 7.8). */

import { fieldValue, fieldValues, listParts, withoutFields } from './fields.ts';
import type { Fields } from './fields.ts';
import { serializeFields } from './forwarding.ts';
import type { RequestLine } from './request-check.ts';

/**
 * The protocols to offer to the upstream. Empty: the offer is ignored, which a server may always do, and must do for
 * HTTP/1.0. It is also ignored for a request with a body: such upgrades do not occur in practice, and joining the
 * connections would forward the body unchecked.
 */
export function offeredProtocols({ minor, fields }: Pick<RequestLine, 'minor' | 'fields'>): Fields {
  if (minor === 0 || hasBody(fields)) return [];
  return fieldValues(fields, 'upgrade')
    .flatMap(listParts)
    .filter((protocol) => !HTTP.test(protocol));
}

/**
 * Another version of HTTP would bypass every check that is made here. Java's HttpClient, Ktor, Spring and `curl --http2`
 * offer h2c with every first request, and accept a response in HTTP/1.1.
 */
const HTTP = /^(?:h2c?(?:[-/].*)?|http(?:\/.*)?)$/i;

function hasBody(fields: Fields): boolean {
  if (fieldValue(fields, 'transfer-encoding') !== undefined) return true;
  return (fieldValue(fields, 'content-length') ?? '0') !== '0';
}

const OFFER: ReadonlySet<string> = new Set(['upgrade']);

/** The head as received: its version is checked when it is parsed again. */
export interface OfferedHead extends Pick<RequestLine, 'method' | 'url' | 'fields'> {
  /** As the client wrote it: `1.1`. */
  readonly httpVersion: string;
}

/** Serializes the request head without its offer. HTTP2-Settings can stay: it is hop-by-hop and not forwarded. */
export function headWithoutOffer({ method, url, httpVersion, fields }: OfferedHead): string {
  return `${method} ${url} HTTP/${httpVersion}\r\n${serializeFields(withoutFields(fields, OFFER))}\r\n`;
}
