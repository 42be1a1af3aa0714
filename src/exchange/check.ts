/** What is refused before anything is sent to the upstream. */

import type { IncomingMessage } from 'node:http';
import { ProxyError } from '../errors.ts';
import { fieldValue } from '../http/fields.ts';
import { viaNames } from '../http/forwarding.ts';
import { checkRequest } from '../http/request-check.ts';

/** @param via the name by which this proxy knows itself */
export function refusalBeforehand(request: IncomingMessage, via: string): ProxyError | null {
  const { method = '', url = '', rawHeaders } = request;
  const minor = request.httpVersionMinor === 0 ? 0 : 1;
  return (
    checkRequest({ method, url, minor, fields: rawHeaders }) ??
    checkLoop(rawHeaders, via) ??
    checkExpect(rawHeaders)
  );
}

/** RFC 9110 section 7.6.3. */
function checkLoop(fields: readonly string[], via: string): ProxyError | null {
  if (!viaNames(fields).includes(via)) return null;
  return new ProxyError(
    'loop_detected',
    'The request has already passed through this proxy: --target leads back to it.',
  );
}

/** RFC 9110 section 10.1.1. */
function checkExpect(fields: readonly string[]): ProxyError | null {
  const expect = fieldValue(fields, 'expect');
  if (expect === undefined || expect.toLowerCase() === '100-continue') return null;
  return new ProxyError('expectation_failed', 'Only "Expect: 100-continue" is understood.');
}

/** Whether the request has a body at all, be it an empty one (RFC 9112 section 6.3). */
export function isFramed(request: IncomingMessage): boolean {
  const { headers } = request;
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
}

/** The length that the client announced; 0 without a body, null when it is chunked. */
export function announcedLength(request: IncomingMessage): number | null {
  const { headers } = request;
  if (headers['transfer-encoding'] !== undefined) return null;
  return Number(headers['content-length'] ?? 0);
}
