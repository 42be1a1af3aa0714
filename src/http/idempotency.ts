/** Which requests may be sent more than once. */

import { fieldValue } from './fields.ts';
import type { Fields } from './fields.ts';

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** RFC 9110 section 9.2.1. */
export function isSafe(method: string): boolean {
  return SAFE.has(method);
}

/** The user's methods, or a request whose client made it repeatable by an Idempotency-Key. */
export function mayRetry(method: string, fields: Fields, retryMethods: readonly string[]): boolean {
  return retryMethods.includes(method) || (fieldValue(fields, 'idempotency-key') ?? '') !== '';
}
