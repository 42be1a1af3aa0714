/** What one attempt observed on the wire: facts. Verdict and retry are functions of them. */

import type { Framing } from '../http/framing.ts';
import type { ResponseHead } from '../http/response-head.ts';
import type { SinkFault } from '../spool/spooled-body.ts';

/** What of a response is not HTTP. */
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

/** Which limit of our own a response went over: of its head, of its body, or of all bodies together (and of the disk). */
export type Limit = 'head' | 'body' | 'spool';

/**
 * How the upstream connection came to its end, as far as this attempt goes.
 *
 * - `message-end`: the message said itself that it was over (length reached, last chunk, status without a body)
 * - `fin`: the upstream closed cleanly
 * - `rst`: the upstream reset the connection, also where Node reports it as an end, or closed it under TLS without a
 *   close_notify (RFC 9112 section 9.8); `errorCode`: the system's or Node's, where there is one
 * - `timeout`: we gave up waiting for the head, or for more of the body
 * - `parse-error`: the bytes are not HTTP; `detail`: a clause for a sentence
 * - `limit`: the response went over a limit of our own; `detail`: a clause for a sentence
 * - `connect-failed`: there never was a connection; `detail`: what each address said, where there are several
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

/** @param failure of a connection that could not be made */
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

/** The response could not be kept. */
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
  /** Bytes of the head, or of what arrived of it. */
  readonly headBytes: number;
  /** Bytes of interim heads (1xx) before it. */
  readonly interimBytes: number;
  /** Bytes of the body that arrived, without chunk framing. */
  readonly bodyBytes: number;
  /** Null: all of it came with the head, or nobody looked how it came. */
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

/** @param seen what was observed before it ended so; default: nothing, as without a connection */
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

/** Whether the upstream ended the connection before the response was whole. */
export function wasCut({ ending }: Evidence): boolean {
  return ending.kind === 'fin' || ending.kind === 'rst';
}

/**
 * Whether the upstream went away under a try: it cut that, and refused the next connection. A server that only cuts a response
 * still takes connections.
 */
export function wentAway(cut: Evidence, next: Evidence): boolean {
  return wasCut(cut) && next.ending.kind === 'connect-failed' && !next.ending.timedOut;
}

/** Whether both responses were no HTTP in the very same way: then a third would be too. */
export function failAlike({ ending: one }: Evidence, { ending: other }: Evidence): boolean {
  return one.kind === 'parse-error' && other.kind === 'parse-error' && one.detail === other.detail;
}

/**
 * Whether the upstream may not have begun with the request: it was reset in silence, which a kernel does where bytes are still
 * unread (RFC 1122 section 4.2.2.13), and either only its head had been sent, or the 100 (Continue) that this route always says
 * had not come. So end the connections that the kernel still takes for a dev server whose process is on its way out. It proves nothing:
 * a server may act on the head alone and reset then. A close says nothing of the kind: then all had been read.
 */
export function mayBeUntouched(evidence: Evidence, saysContinue: boolean): boolean {
  const { ending, requestBody, headBytes, interimBytes, expectation } = evidence;
  if (ending.kind !== 'rst' || ending.missesCloseNotify || headBytes + interimBytes > 0) return false;
  return (
    requestBody === 'withheld' || (requestBody !== 'none' && expectation === 'unanswered' && saysContinue)
  );
}
