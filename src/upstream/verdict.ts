/** Whether the response is complete: a pure function of the evidence. */

import type { Evidence } from './evidence.ts';

/**
 * - `complete`: the message itself proves that it is complete
 * - `unverifiable`: the body ended with a clean close, so nothing proves that it is complete (RFC 9112 section 8)
 * - `truncated`: the response began and is not complete
 * - `no-response`: no byte of it arrived
 * - `malformed`: its head cannot be parsed, so its length is unknown
 * - `over-limit`: we stopped it, because it exceeded one of our limits
 * - `abandoned`: we stopped it, because the client left
 */
export type VerdictKind =
  'complete' | 'unverifiable' | 'truncated' | 'no-response' | 'malformed' | 'over-limit' | 'abandoned';

/** Judges one attempt. Total: every combination of framing and ending has one verdict. */
export function judge(evidence: Evidence): VerdictKind {
  switch (evidence.ending.kind) {
    case 'message-end':
      return 'complete';
    case 'connect-failed':
      return 'no-response';
    case 'client-gone':
      return 'abandoned';
    case 'limit':
      return 'over-limit';
    case 'parse-error':
      return evidence.framing === null ? 'malformed' : 'truncated';
    case 'fin':
      if (evidence.framing?.kind === 'close') return 'unverifiable';
      return evidence.headBytes === 0 ? 'no-response' : 'truncated';
    case 'rst':
    case 'timeout':
      return evidence.headBytes === 0 ? 'no-response' : 'truncated';
  }
}
