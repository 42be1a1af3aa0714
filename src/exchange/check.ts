/** What is refused before anything is sent to the upstream. */

import { ProxyError } from '../errors.ts';
import { fieldValues, listMembers } from '../http/fields.ts';
import { viaNames } from '../http/forwarding.ts';
import { checkRequest, headBytes, headTooLarge, otherVersion } from '../http/request-check.ts';
import type { Request } from '../http/request.ts';
import type { Services } from './services.ts';

export function refusalBeforehand(
  request: Request,
  { via, settings }: Pick<Services, 'via' | 'settings'>,
): ProxyError | null {
  return (
    checkVersion(request) ??
    checkHeadSize(request, settings.maxHeaderBytes) ??
    checkRequest(request) ??
    checkLoop(request.fields, via) ??
    checkExpect(request.fields)
  );
}

/** Node's parser takes HTTP/0.9 and HTTP/2.0 for the same protocol; see test/facts/http-parser.test.ts. */
function checkVersion({ httpVersion }: Request): ProxyError | null {
  if (httpVersion === '1.1' || httpVersion === '1.0') return null;
  if (!httpVersion.startsWith('0.')) return otherVersion(`HTTP/${httpVersion}`);
  return new ProxyError('bad_request', `The request uses HTTP/${httpVersion}. Use HTTP/1.1.`);
}

/** Node counts names and values only: a head of short fields is to the upstream several times as large. */
function checkHeadSize({ method, url, fields }: Request, limit: number): ProxyError | null {
  return headBytes(method, url, fields) > limit ? headTooLarge(limit) : null;
}

/** RFC 9110 section 7.6.3. */
function checkLoop(fields: readonly string[], via: string): ProxyError | null {
  if (!viaNames(fields).includes(via)) return null;
  return new ProxyError(
    'loop_detected',
    'The request has already passed through this proxy: --target leads back to it. Point --target at the upstream.',
  );
}

/** RFC 9110 section 10.1.1. */
function checkExpect(fields: readonly string[]): ProxyError | null {
  const values = fieldValues(fields, 'expect');
  if (values.length === 0 || values.flatMap(listMembers).every((one) => one === '100-continue')) return null;
  return new ProxyError('expectation_failed', 'Only "Expect: 100-continue" is supported.');
}
