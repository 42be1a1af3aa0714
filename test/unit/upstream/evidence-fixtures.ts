/** Evidence to judge by: a whole response, with what a test changes about it. */

import type { Evidence } from '../../../src/upstream/evidence.ts';

export function evidence(changes: Partial<Evidence> = {}): Evidence {
  return {
    ending: 'message-end',
    head: { minor: 1, status: 200, reason: 'OK', fields: [] },
    framing: { kind: 'length', length: 10 },
    streamed: false,
    headBytes: 40,

    interimBytes: 0,
    bodyBytes: 10,
    surplusBytes: 0,
    trailerFields: 0,
    reusedConnection: false,
    requestBody: 'none',
    expectation: 'none',
    timeout: null,
    detail: null,
    errorCode: null,
    ...changes,
  };
}

/** Nothing came. */
export function silence(changes: Partial<Evidence> = {}): Evidence {
  return evidence({ head: null, framing: null, headBytes: 0, bodyBytes: 0, ...changes });
}

/** A part of the head came. */
export function partOfHead(changes: Partial<Evidence> = {}): Evidence {
  return evidence({ head: null, framing: null, headBytes: 17, bodyBytes: 0, ...changes });
}
