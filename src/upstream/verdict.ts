/** Whether what arrived is the whole response: a pure function of the evidence. */

import type { Evidence } from './evidence.ts';

/**
 * - `complete`: the message itself proves that it is whole
 * - `unverifiable`: the body ended with the connection, in order: nothing can prove it (RFC 9112 section 8)
 * - `truncated`: the response began and is not whole
 * - `no-response`: not one byte of it came
 * - `malformed`: its head cannot be understood, so neither can its length
 * - `over-limit`: we stopped it, because it went over a limit of our own
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
