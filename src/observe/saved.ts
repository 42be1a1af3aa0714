/** By what an exchange was saved that would have been lost without lastbyte. */

import type { ExchangeRecord } from '../exchange/events.ts';

/**
 * - `retried`: another try brought the whole answer
 * - `waited`: the request waited for an upstream that took no connections
 * - `withheld`: the answer came whole before the request body was sent, so nothing was unread when the upstream closed
 */
export type SavedBy = 'retried' | 'waited' | 'withheld';

export const SAVED_BY: readonly SavedBy[] = ['retried', 'waited', 'withheld'];

/** Null: it was not delivered, or needed no saving. */
export function savedBy(record: Pick<ExchangeRecord, 'outcome' | 'attempts' | 'waitedMs'>): SavedBy | null {
  const { outcome, attempts, waitedMs } = record;
  if (outcome !== 'delivered' && outcome !== 'relayed') return null;
  if (attempts.some(({ reason }) => reason === 'retry')) return 'retried';
  if (waitedMs > 0) return 'waited';
  return attempts.at(-1)?.evidence.requestBody === 'withheld' ? 'withheld' : null;
}
