/** What an exchange is to the person who watches: fine, saved and by what, worth a remark, or a problem. */

import { ProxyError } from '../errors.ts';
import type { ExchangeRecord } from '../exchange/events.ts';

/**
 * - `ok`: nothing to say
 * - `saved`: whole, after another try or a wait
 * - `noted`: whole, with a remark
 * - `client`: the client's fault, or it left
 * - `problem`: refused with 5xx, or cut
 */
export type Severity = 'ok' | 'saved' | 'noted' | 'client' | 'problem';

export const SEVERITIES: readonly Severity[] = ['ok', 'saved', 'noted', 'client', 'problem'];

type Judged = Pick<ExchangeRecord, 'outcome' | 'error' | 'attempts' | 'waitedMs' | 'sentence'>;

export function severityOf({ outcome, error, attempts, waitedMs, sentence }: Judged): Severity {
  switch (outcome) {
    case 'cut':
      return 'problem';
    case 'refused':
      return error !== null && new ProxyError(error, '').source === 'client' ? 'client' : 'problem';
    case 'abandoned':
      return 'client';
    case 'delivered':
    case 'relayed':
    case 'upgraded':
      // A try over an idle connection that turned out to be closed says nothing about the upstream.
      if (waitedMs > 0 || attempts.some(({ reason }) => reason === 'retry' || reason === 'waited'))
        return 'saved';
      return sentence === null ? 'ok' : 'noted';
  }
}

/**
 * By what it was saved, if it would have been lost without lastbyte.
 *
 * - `retried`: another try brought the whole response
 * - `waited`: the request waited for an upstream that took no connections
 * - `withheld`: the response came whole before the request body was sent, so nothing was unread when the upstream closed
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
