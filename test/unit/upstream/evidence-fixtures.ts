/** Evidence to judge by: a whole response, with what a test changes about it. */

import { evidenceOf } from '../../../src/upstream/evidence.ts';
import type { Ending, EndingKind, Evidence } from '../../../src/upstream/evidence.ts';

/** An ending may be named by its kind, where a test is about no more. */
export type Changes = Partial<Omit<Evidence, 'ending'>> & { readonly ending?: Ending | EndingKind };

const ENDINGS: Readonly<Record<EndingKind, Ending>> = {
  'message-end': { kind: 'message-end' },
  fin: { kind: 'fin' },
  rst: { kind: 'rst', errorCode: null, missesCloseNotify: false },
  timeout: { kind: 'timeout', waitedFor: 'body-idle' },
  'parse-error': { kind: 'parse-error', fault: 'head', detail: 'it is not HTTP' },
  limit: { kind: 'limit', limit: 'body', detail: 'it is too large' },
  'connect-failed': { kind: 'connect-failed', errorCode: 'ECONNREFUSED', timedOut: false, detail: null },
  'client-gone': { kind: 'client-gone' },
};

export function endingOf(ending: Ending | EndingKind): Ending {
  return typeof ending === 'string' ? ENDINGS[ending] : ending;
}

export function evidence({ ending = 'message-end', ...changes }: Changes = {}): Evidence {
  return evidenceOf(endingOf(ending), {
    head: { minor: 1, status: 200, reason: 'OK', fields: [] },
    framing: { kind: 'length', length: 10 },
    headBytes: 40,
    bodyBytes: 10,
    ...changes,
  });
}

/** Nothing came. */
export function silence(changes: Changes = {}): Evidence {
  return evidence({ head: null, framing: null, headBytes: 0, bodyBytes: 0, ...changes });
}

/** A part of the head came. */
export function partOfHead(changes: Changes = {}): Evidence {
  return evidence({ head: null, framing: null, headBytes: 17, bodyBytes: 0, ...changes });
}
