/** Every value that an outcome, a verdict and the like can have: for filters, labels and documents. */

import type { AttemptRecord, Outcome } from '../exchange/events.ts';
import type { EndingKind, RequestBodySent } from '../upstream/evidence.ts';
import type { VerdictKind } from '../upstream/verdict.ts';

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
