/** Which offers of an upgrade are passed on, and which are ignored (RFC 9110 section 7.8). */

import { fieldValue, fieldValues, listParts, withoutFields } from './fields.ts';
import type { Fields } from './fields.ts';
import { serializeFields } from './forwarding.ts';
import type { RequestLine } from './request-check.ts';

/**
 * The protocols to offer to the upstream. None: the request is served as if it offered nothing, which a server may
 * always do, and must do for HTTP/1.0. So it is where the request has a body: nobody upgrades with one, and whoever
 * joins the connections first passes it on unchecked.
 */
export function offeredProtocols({ minor, fields }: Pick<RequestLine, 'minor' | 'fields'>): Fields {
  if (minor === 0 || hasBody(fields)) return [];
  return fieldValues(fields, 'upgrade')
    .flatMap(listParts)
    .filter((protocol) => !HTTP.test(protocol));
}

/**
 * Another version of HTTP would be a tunnel past every check that is made here. Java's HttpClient, Ktor, Spring and
 * `curl --http2` offer h2c with every first request, and take a response in HTTP/1.1.
 */
const HTTP = /^(?:h2c?(?:[-/].*)?|http(?:\/.*)?)$/i;

function hasBody(fields: Fields): boolean {
  if (fieldValue(fields, 'transfer-encoding') !== undefined) return true;
  return (fieldValue(fields, 'content-length') ?? '0') !== '0';
}

const OFFER: ReadonlySet<string> = new Set(['upgrade']);

/** As it came: whether the version will do is decided when it comes again. */
export interface OfferedHead extends Pick<RequestLine, 'method' | 'url' | 'fields'> {
  /** As the client wrote it: `1.1`. */
  readonly httpVersion: string;
}

/** The request head again, without its offer. What belongs to the offer alone, such as HTTP2-Settings, ends here anyway. */
export function headWithoutOffer({ method, url, httpVersion, fields }: OfferedHead): string {
  return `${method} ${url} HTTP/${httpVersion}\r\n${serializeFields(withoutFields(fields, OFFER))}\r\n`;
}
