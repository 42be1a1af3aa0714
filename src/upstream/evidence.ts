/** The facts that one attempt observed on the wire. Verdict and retry are functions of them. */

import type { Framing } from '../http/framing.ts';
import type { ResponseHead } from '../http/response-head.ts';
import type { SinkFault } from '../spool/spooled-body.ts';

/** Which part of a response is not valid HTTP. */
export type ParseFault =
  | 'not-http'
  | 'head'
  | 'length'
  | 'coding'
  | 'switch'
  | 'chunk-size'
  | 'chunk-extension'
  | 'chunk-end'
  | 'trailer'
  | 'body';

/** Which limit a response exceeded: that of its head, of its body, or of all bodies together (or of the disk). */
export type Limit = 'head' | 'body' | 'spool';

/**
 * How an attempt ended.
 *
 * - `message-end`: the message is complete by its own framing (length reached, last chunk, status without a body)
 * - `fin`: the upstream closed cleanly
 * - `rst`: the upstream reset the connection, also where Node reports it as an end, or closed it under TLS without a
 *   close_notify (RFC 9112 section 9.8); `errorCode`: the system's or Node's, where there is one
 * - `timeout`: we gave up waiting for the head, or for more of the body
 * - `parse-error`: the bytes are not HTTP; `detail`: a clause for a sentence
 * - `limit`: the response exceeded one of our limits; `detail`: a clause for a sentence
 * - `connect-failed`: no connection could be opened; `detail`: the result of each address, where there are several
 * - `client-gone`: the client left, so we stopped
 */
export type Ending =
  | { readonly kind: 'message-end' }
  | { readonly kind: 'fin' }
  | { readonly kind: 'rst'; readonly errorCode: string | null; readonly missesCloseNotify: boolean }
  | { readonly kind: 'timeout'; readonly waitedFor: 'first-byte' | 'body-idle' }
  | { readonly kind: 'parse-error'; readonly fault: ParseFault; readonly detail: string }
  | { readonly kind: 'limit'; readonly limit: Limit; readonly detail: string }
  | ConnectFailed
  | { readonly kind: 'client-gone' };

export interface ConnectFailed {
  readonly kind: 'connect-failed';
  /** The system's, libuv's, OpenSSL's or Node's. */
  readonly errorCode: string;
  readonly timedOut: boolean;
  readonly detail: string | null;
}

export type EndingKind = Ending['kind'];

export const MESSAGE_END: Ending = { kind: 'message-end' };
export const FIN: Extract<Ending, { kind: 'fin' }> = { kind: 'fin' };
export const CLIENT_GONE: Ending = { kind: 'client-gone' };

export function resetBy(errorCode: string | null): Extract<Ending, { kind: 'rst' }> {
  return { kind: 'rst', errorCode, missesCloseNotify: false };
}

/** @param failure the result of a failed connect */
export function connectFailed({ errorCode, timedOut, detail }: Omit<ConnectFailed, 'kind'>): ConnectFailed {
  return { kind: 'connect-failed', errorCode, timedOut, detail };
}

export function notHttp(fault: ParseFault, detail: string): Ending {
  return { kind: 'parse-error', fault, detail };
}

export const UNASKED_SWITCH: Ending = notHttp('switch', 'it switches protocols, which nobody asked for');

export function headTooLarge(maxHeaderBytes: number): Ending {
  return { kind: 'limit', limit: 'head', detail: `its head is larger than ${maxHeaderBytes} bytes` };
}

/** The response could not be buffered. */
export function sinkFault(fault: SinkFault): Ending {
  return { kind: 'limit', limit: fault.kind === 'too-large' ? 'body' : 'spool', detail: explainSink(fault) };
}

function explainSink(fault: SinkFault): string {
  switch (fault.kind) {
    case 'too-large':
      return `its body is larger than --max-response-body, ${fault.limitBytes} bytes`;
    case 'exhausted':
      return `all bodies together need more than --${fault.option}, ${fault.limitBytes} bytes`;
    case 'io':
      return `its body could not be written to --spool-dir (${fault.errorCode})`;
  }
}

/** How much of the request body has been sent. */
export type RequestBodySent = 'none' | 'withheld' | 'partly' | 'whole';

/**
 * The result of `Expect: 100-continue` (RFC 9110 section 10.1.1): not sent, sent without a 100 in reply, or followed by
 * one.
 */
export type Expectation = 'none' | 'unanswered' | 'continued';

/** How a body arrived that did not arrive with its head. */
export interface BodyArrival {
  /** Number of reads that contained a part of it. */
  readonly parts: number;
  /** From the head to the end. */
  readonly ms: number;
}

export interface Evidence {
  readonly ending: Ending;
  /** The final response head; null: it did not arrive completely. */
  readonly head: ResponseHead | null;
  readonly framing: Framing | null;
  /** Whether the response was relayed as it arrived. */
  readonly streamed: boolean;
  /** Bytes of the head, or of the part that arrived. */
  readonly headBytes: number;
  /** Bytes of interim heads (1xx) before it. */
  readonly interimBytes: number;
  /** Bytes of the body that arrived, without chunk framing. */
  readonly bodyBytes: number;
  /** Null: the body arrived with the head, or how it arrived was not observed. */
  readonly arrival: BodyArrival | null;
  /** Bytes after the end of the message, discarded. */
  readonly surplusBytes: number;
  /** Trailer fields after the last chunk, dropped. */
  readonly trailerFields: number;
  readonly reusedConnection: boolean;
  readonly requestBody: RequestBodySent;
  readonly expectation: Expectation;
}

/** A clause for a sentence; null: the ending has none. */
export function endingDetail(ending: Ending): string | null {
  return 'detail' in ending ? ending.detail : null;
}

/** @param seen what was observed before the end; default: nothing, as without a connection */
export function evidenceOf(
  ending: Ending,
  {
    head = null,
    framing = null,
    streamed = false,
    headBytes = 0,
    interimBytes = 0,
    bodyBytes = 0,
    arrival = null,
    surplusBytes = 0,
    trailerFields = 0,
    reusedConnection = false,
    requestBody = 'none',
    expectation = 'none',
  }: Partial<Omit<Evidence, 'ending'>> = {},
): Evidence {
  return {
    ending,
    head,
    framing,
    streamed,
    headBytes,
    interimBytes,
    bodyBytes,
    arrival,
    surplusBytes,
    trailerFields,
    reusedConnection,
    requestBody,
    expectation,
  };
}

/** Whether the upstream ended the connection before the response was complete. */
export function wasCut({ ending }: Evidence): boolean {
  return ending.kind === 'fin' || ending.kind === 'rst';
}

/**
 * Whether the upstream went away during an attempt: it cut that attempt and refused the next connection. A server that only
 * cuts a response still accepts connections.
 */
export function wentAway(cut: Evidence, next: Evidence): boolean {
  return wasCut(cut) && next.ending.kind === 'connect-failed' && !next.ending.timedOut;
}

/** Whether both responses were malformed in exactly the same way: a third would be too. */
export function failAlike({ ending: one }: Evidence, { ending: other }: Evidence): boolean {
  return one.kind === 'parse-error' && other.kind === 'parse-error' && one.detail === other.detail;
}

/**
 * Whether the upstream may not have started on the request: it reset the connection without a byte of response, as a kernel
 * does when bytes are unread (RFC 1122 section 4.2.2.13), and either only the head had been sent, or the 100 (Continue) that
 * this route always sends had not arrived. Connections that the kernel accepts for a dev server that is exiting end like
 * this. It is no proof: a server may act on the head alone and then reset. A FIN does not count, because it means that
 * everything was read.
 */
export function mayBeUntouched(evidence: Evidence, saysContinue: boolean): boolean {
  const { ending, requestBody, headBytes, interimBytes, expectation } = evidence;
  if (ending.kind !== 'rst' || ending.missesCloseNotify || headBytes + interimBytes > 0) return false;
  return (
    requestBody === 'withheld' || (requestBody !== 'none' && expectation === 'unanswered' && saysContinue)
  );
}
