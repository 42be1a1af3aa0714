/** What one attempt observed on the wire: facts. Verdict and retry are functions of them. */

import { NO_CLOSE_NOTIFY } from './connection.ts';
import type { Framing } from '../http/framing.ts';
import type { ResponseHead } from '../http/response-head.ts';

/**
 * How the upstream connection came to its end, as far as this attempt goes.
 *
 * - `message-end`: the message said itself that it was over (length reached, last chunk, status without a body)
 * - `fin`: the upstream closed in order
 * - `rst`: the upstream reset the connection, also where Node reports it as an end
 * - `timeout`: we gave up waiting
 * - `parse-error`: the bytes are not HTTP
 * - `limit`: the answer went over a limit of ours
 * - `connect-failed`: there never was a connection
 * - `client-gone`: the client left, so we stopped
 */
export type Ending =
  'message-end' | 'fin' | 'rst' | 'timeout' | 'parse-error' | 'limit' | 'connect-failed' | 'client-gone';

/** How much of the request body the upstream has been given. */
export type RequestBodySent = 'none' | 'withheld' | 'partly' | 'whole';

/**
 * What came of `Expect: 100-continue`: it was not sent, there was no 100, or the upstream took the request up with one
 * (RFC 9110 section 10.1.1).
 */
export type Expectation = 'none' | 'unanswered' | 'continued';

/** How a body came that did not come with its head. */
export interface BodyArrival {
  /** Reads that brought some of it. */
  readonly parts: number;
  /** From the head to the end. */
  readonly ms: number;
}

export interface Evidence {
  readonly ending: Ending;
  /** The final response head, or null when it did not arrive whole. */
  readonly head: ResponseHead | null;
  readonly framing: Framing | null;
  /** Whether the response was handed over to be relayed as it comes. */
  readonly streamed: boolean;
  /** Octets of the head, or of what arrived of it. */
  readonly headBytes: number;
  /** Octets of interim heads (1xx) before it. */
  readonly interimBytes: number;
  /** Octets of the body that arrived, without chunk framing. */
  readonly bodyBytes: number;
  /** Null: all of it came with the head. Not there: nobody looked how it came. */
  readonly arrival?: BodyArrival | null;
  /** Octets after the end of the message, discarded. */
  readonly surplusBytes: number;
  /** Trailer fields after the last chunk, dropped. */
  readonly trailerFields: number;
  readonly reusedConnection: boolean;
  readonly requestBody: RequestBodySent;
  readonly expectation: Expectation;
  /** Which clock ran out, when `ending` is `timeout`. */
  readonly timeout: 'connect' | 'first-byte' | 'body-idle' | null;
  /** What was wrong, when `ending` is `parse-error` or `limit`, or what each address said when it is `connect-failed`: a clause for a sentence. */
  readonly detail: string | null;
  /** The system's or Node's error code (`ECONNREFUSED`, `ECONNRESET`, a TLS code), where there is one. */
  readonly errorCode: string | null;
}

/** Of an attempt without a connection. */
export function noConnection(
  what: Pick<Evidence, 'ending'> &
    Partial<Pick<Evidence, 'timeout' | 'detail' | 'errorCode' | 'requestBody'>>,
): Evidence {
  return {
    head: null,
    framing: null,
    streamed: false,
    headBytes: 0,
    interimBytes: 0,
    bodyBytes: 0,
    surplusBytes: 0,
    trailerFields: 0,
    reusedConnection: false,
    requestBody: 'none',
    expectation: 'none',
    timeout: null,
    detail: null,
    errorCode: null,
    ...what,
  };
}

/** Whether the upstream ended the connection before the response was whole. */
export function wasCut({ ending }: Evidence): boolean {
  return ending === 'fin' || ending === 'rst';
}

/**
 * Whether the upstream went away under a try: it cut that, and refused the next connection. A server that only cuts a response
 * still takes connections.
 */
export function wentAway(cut: Evidence, next: Evidence): boolean {
  return wasCut(cut) && next.ending === 'connect-failed' && next.timeout === null;
}

/** Whether both responses were no HTTP in the very same way: then a third would be too. */
export function failAlike(one: Evidence, other: Evidence): boolean {
  return one.ending === 'parse-error' && other.ending === 'parse-error' && one.detail === other.detail;
}

/**
 * Whether the upstream may not have begun with the request: it was reset in silence, which a kernel does where bytes are still
 * unread (RFC 1122 section 4.2.2.13), and either only its head had been sent, or the 100 (Continue) that this route always says
 * had not come. So end the connections that the kernel still takes for a dev server whose process is on its way out. It proves nothing:
 * a server may act on the head alone and reset then. A close says nothing of the kind: then all had been read.
 */
export function mayBeUntouched(evidence: Evidence, saysContinue: boolean): boolean {
  const { ending, errorCode, requestBody, headBytes, interimBytes, expectation } = evidence;
  if (ending !== 'rst' || errorCode === NO_CLOSE_NOTIFY || headBytes + interimBytes > 0) return false;
  return (
    requestBody === 'withheld' || (requestBody !== 'none' && expectation === 'unanswered' && saysContinue)
  );
}
