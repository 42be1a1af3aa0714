/** What an exchange is to the person who watches: fine, saved, worth a remark, or a problem. */

import { ProxyError } from '../errors.ts';
import type { ExchangeRecord } from '../exchange/events.ts';

/**
 * - `ok`: nothing to say
 * - `saved`: whole, after another try or a wait
 * - `noted`: whole, with a remark
 * - `client`: the client's fault, or it left
 * - `problem`: refused with 5xx, or cut
 */
export type Grade = 'ok' | 'saved' | 'noted' | 'client' | 'problem';

export const GRADES: readonly Grade[] = ['ok', 'saved', 'noted', 'client', 'problem'];

type Graded = Pick<ExchangeRecord, 'outcome' | 'error' | 'attempts' | 'waitedMs' | 'sentence'>;

export function grade({ outcome, error, attempts, waitedMs, sentence }: Graded): Grade {
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
