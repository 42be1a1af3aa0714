/** Reads a response that came through Node's http client into a sink, and records the evidence of how it ended. */

import type { IncomingMessage } from 'node:http';
import type { Framing } from '../http/framing.ts';
import { responseFraming } from '../http/framing.ts';
import { serializeFields } from '../http/forwarding.ts';
import { parseResponseHead } from '../http/response-head.ts';
import type { HeadResult, ResponseHead } from '../http/response-head.ts';
import type { BodySink } from '../spool/body-sink.ts';
import type { UpstreamConnection } from '../upstream/connection.ts';
import type { Ending, Evidence } from '../upstream/evidence.ts';

export interface ResponseObservation {
  /** What was seen, once the response is over or can go no further. Never rejects. */
  readonly evidence: Promise<Evidence>;
  /** `accept` names the sink for the body. */
  responded(incoming: IncomingMessage, accept: (head: ResponseHead, framing: Framing) => BodySink): void;
  /** The request failed, before a response or in the middle of it. */
  failed(error: NodeJS.ErrnoException): void;
  /** There is no sense in going on: the client has left, or its request is at fault. */
  readonly abandon: () => void;
}

/**
 * @param firstByteTimeoutMs how long the upstream may move no octet before it answers
 * @param awaitsClient tells whether it can only wait, because its request is still to come
 */
export function observeResponse(
  method: string,
  connection: UpstreamConnection,
  firstByteTimeoutMs: number,
  awaitsClient: () => boolean = () => false,
): ResponseObservation {
  let head: ResponseHead | null = null;
  let framing: Framing | null = null;
  let bodyBytes = 0;
  let resolve: (evidence: Evidence) => void = () => undefined;
  const evidence = new Promise<Evidence>((settle) => {
    resolve = settle;
  });
  const over = (ending: Ending, detail: string | null = null, errorCode: string | null = null): void => {
    connection.socket.setTimeout(0);
    resolve(evidenceOf({ ending, detail, errorCode, head, framing, bodyBytes }));
  };
  const failed = (error: NodeJS.ErrnoException): void => {
    const code = error.code ?? null;
    if (code?.startsWith('HPE_') === true) over('parse-error', error.message, code);
    // "socket hang up" is Node's word for a connection that ended without a response.
    else over(connection.endedBy === 'fin' ? 'fin' : 'rst', null, code);
  };
  /** Node ends a body that was read until close in order even when the connection was reset. */
  const ended = (incoming: IncomingMessage): void => {
    if (framing?.kind === 'close') over(connection.endedBy === 'rst' ? 'rst' : 'fin');
    else if (incoming.complete) over('message-end');
    else over(connection.endedBy === 'fin' ? 'fin' : 'rst');
  };
  const stop = (ending: Ending, detail: string | null = null, errorCode: string | null = null): void => {
    over(ending, detail, errorCode);
    connection.destroy();
  };
  connection.socket.on('timeout', () => {
    if (awaitsClient()) connection.socket.setTimeout(firstByteTimeoutMs);
    else stop('timeout');
  });
  connection.socket.setTimeout(firstByteTimeoutMs);

  return {
    evidence,
    failed,
    abandon: () => stop('client-gone'),
    responded: (incoming, accept) => {
      connection.socket.setTimeout(0);
      const read = strictHead(incoming);
      if (read.kind === 'malformed') return stop('parse-error', read.why);
      head = read.head;
      const result = responseFraming(method, head);
      if (result.kind === 'malformed')
        return stop('parse-error', result.why, result.coding ? 'CODING' : null);
      framing = result.framing;
      const sink = accept(head, framing);
      incoming.on('data', (octets: Buffer) => {
        bodyBytes += octets.length;
        sink.append(octets);
        if (!sink.congested) return;
        incoming.pause();
        sink.whenDrained(() => incoming.resume());
      });
      incoming.on('end', () => ended(incoming));
      incoming.on('error', failed);
      incoming.on('close', () => ended(incoming));
    },
  };
}

/** What Node tells of a head. */
export interface NodeHead {
  readonly httpVersion: string;
  readonly statusCode?: number | undefined;
  readonly statusMessage?: string | undefined;
  readonly rawHeaders: readonly string[];
}

/**
 * The head of a response that Node's parser has read, judged by ours. Node takes control characters in a reason and a
 * status below 100, and throws when they are to be written; see test/facts/http-parser.test.ts.
 */
export function strictHead({
  httpVersion,
  statusCode = 0,
  statusMessage = '',
  rawHeaders,
}: NodeHead): HeadResult {
  const line = `HTTP/${httpVersion} ${String(statusCode).padStart(3, '0')} ${statusMessage}`;
  const head = Buffer.from(`${line}\r\n${serializeFields(rawHeaders)}\r\n`, 'latin1');
  return parseResponseHead(head, 0, head.length);
}

type Observed = Pick<Evidence, 'ending' | 'detail' | 'errorCode' | 'head' | 'framing' | 'bodyBytes'>;

function evidenceOf(observed: Observed): Evidence {
  return {
    ...observed,
    streamed: true,
    // Node does not tell: enough to know that there was one.
    headBytes: observed.head === null ? 0 : 1,
    interimBytes: 0,
    surplusBytes: 0,
    trailerFields: 0,
    reusedConnection: false,
    requestBody: 'none',
    expectation: 'none',
    timeout: observed.ending === 'timeout' ? 'first-byte' : null,
  };
}
