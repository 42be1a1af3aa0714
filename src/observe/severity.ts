/** How severe an exchange is for whoever watches, and all values of outcomes, verdicts and the like. */

import { ProxyError } from '../errors.ts';
import type { AttemptRecord, ExchangeRecord, Outcome } from '../exchange/events.ts';
import type { EndingKind, RequestBodySent } from '../upstream/evidence.ts';
import type { VerdictKind } from '../upstream/verdict.ts';

/**
 * - `ok`: nothing to report
 * - `saved`: complete, after a retry or a wait
 * - `noted`: complete, with a remark
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
      // An attempt on an idle connection that was already closed says nothing about the upstream.
      if (waitedMs > 0 || attempts.some(({ reason }) => reason === 'retry' || reason === 'waited'))
        return 'saved';
      return sentence === null ? 'ok' : 'noted';
  }
}

/**
 * What saved a response that would have been lost without lastbyte.
 *
 * - `retried`: a retry got the complete response
 * - `waited`: the request waited for an upstream that accepted no connections
 * - `withheld`: the response was complete before the request body was sent, so nothing was unread when the upstream closed
 */
export type SavedBy = 'retried' | 'waited' | 'withheld';

export const SAVED_BY: readonly SavedBy[] = ['retried', 'waited', 'withheld'];

/** Null: it was not delivered, or would have been without lastbyte. */
export function savedBy(record: Pick<ExchangeRecord, 'outcome' | 'attempts' | 'waitedMs'>): SavedBy | null {
  const { outcome, attempts, waitedMs } = record;
  if (outcome !== 'delivered' && outcome !== 'relayed') return null;
  if (attempts.some(({ reason }) => reason === 'retry')) return 'retried';
  if (waitedMs > 0) return 'waited';
  return attempts.at(-1)?.evidence.requestBody === 'withheld' ? 'withheld' : null;
}

export const OUTCOMES: readonly string[] = Object.keys({
  delivered: true,
  relayed: true,
  upgraded: true,
  refused: true,
  cut: true,
  abandoned: true,
} satisfies Record<Outcome, true>);

export const VERDICTS: readonly string[] = Object.keys({
  complete: true,
  unverifiable: true,
  truncated: true,
  'no-response': true,
  malformed: true,
  'over-limit': true,
  abandoned: true,
} satisfies Record<VerdictKind, true>);

export const REASONS: readonly string[] = Object.keys({
  first: true,
  retry: true,
  'stale-connection': true,
  'expectation-refused': true,
  waited: true,
} satisfies Record<AttemptRecord['reason'], true>);

export const ENDINGS: readonly string[] = Object.keys({
  'message-end': true,
  fin: true,
  rst: true,
  timeout: true,
  'parse-error': true,
  limit: true,
  'connect-failed': true,
  'client-gone': true,
} satisfies Record<EndingKind, true>);

export const REQUEST_BODIES: readonly string[] = Object.keys({
  none: true,
  withheld: true,
  partly: true,
  whole: true,
} satisfies Record<RequestBodySent, true>);
