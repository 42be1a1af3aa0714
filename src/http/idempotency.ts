/** Which requests may be sent more than once. */

import { fieldValue } from './fields.ts';
import type { Fields } from './fields.ts';

const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** RFC 9110 section 9.2.1. */
export function isSafe(method: string): boolean {
  return SAFE.has(method);
}

/**
 * Whether a failed request may be sent again: its method is one of `retryMethods`, or its client promises by an
 * Idempotency-Key that a repeat does no harm. An empty key, also an empty string in quotes, promises nothing.
 */
export function mayRetry(method: string, fields: Fields, retryMethods: readonly string[]): boolean {
  if (retryMethods.includes(method)) return true;
  const key = fieldValue(fields, 'idempotency-key');
  return key !== undefined && key !== '' && key !== '""';
}
