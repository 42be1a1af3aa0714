/** Exchange records for tests of the log. */

import type { AttemptRecord, ExchangeRecord } from '../../../src/exchange/events.ts';
import { resetBy } from '../../../src/upstream/evidence.ts';
import { evidence } from '../upstream/evidence-fixtures.ts';

const ATTEMPT: AttemptRecord = {
  startedMs: 1,
  endedMs: 11,
  verdict: 'complete',
  reason: 'first',
  notes: null,
  evidence: evidence({ framing: { kind: 'length', length: 51_200 }, headBytes: 90, bodyBytes: 51_200 }),
};

/** A GET that was delivered at the first try. */
export const DELIVERED: ExchangeRecord = {
  id: '7',
  startedAt: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
  durationMs: 12.34,
  clientAddress: '127.0.0.1',
  method: 'GET',
  url: '/report',
  httpVersion: '1.1',
  requestFields: ['Host', 'a.test', 'Referer', 'http://a.test/?token=1', 'User-Agent', 'curl/8'],
  requestBodyBytes: 0,
  status: 200,
  responseBytes: 51_200,
  attempts: [ATTEMPT],
  waitedMs: 0,
  verdict: 'complete',
  outcome: 'delivered',
  error: null,
  sentence: null,
  notes: null,
};

/** A GET that the upstream cut once. */
export const RETRIED: ExchangeRecord = {
  ...DELIVERED,
  id: '9',
  attempts: [
    {
      ...ATTEMPT,
      verdict: 'truncated',
      evidence: { ...ATTEMPT.evidence, ending: resetBy(null), bodyBytes: 30_000 },
    },
    { ...ATTEMPT, reason: 'retry' },
  ],
};

/** A GET that the upstream cut three times. */
export const REFUSED: ExchangeRecord = {
  ...DELIVERED,
  id: '8',
  status: 502,
  responseBytes: 400,
  attempts: [ATTEMPT, ATTEMPT, ATTEMPT],
  verdict: 'truncated',
  outcome: 'refused',
  error: 'response_truncated',
  sentence: 'The upstream cut it: read the body.',
};
