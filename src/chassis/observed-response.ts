/** Reads a response that came through Node's http client into a sink, and records the evidence of how it ended. */

import type { IncomingMessage } from 'node:http';
import type { Framing } from '../http/framing.ts';
import { responseFraming } from '../http/framing.ts';
import type { ResponseHead } from '../http/response-head.ts';
import type { BodySink } from '../spool/body-sink.ts';
import type { UpstreamConnection } from '../upstream/connection.ts';
import type { Ending, Evidence } from '../upstream/evidence.ts';

export interface ObservedResponse {
  readonly evidence: Evidence;
}

export interface ResponseObservation {
  /** `accept` names the sink for the body. */
  responded(incoming: IncomingMessage, accept: (head: ResponseHead, framing: Framing) => BodySink): void;
  /** The request failed, before a response or in the middle of it. */
  failed(error: NodeJS.ErrnoException): void;
  /** The client has left. */
  readonly abandon: () => void;
}

/** @param over called once, when the response is over or can go no further */
export function observeResponse(
  method: string,
  connection: UpstreamConnection,
  over: (observed: ObservedResponse) => void,
): ResponseObservation {
  let head: ResponseHead | null = null;
  let framing: Framing | null = null;
  let bodyBytes = 0;
  let settled = false;

  const settle = (ending: Ending, detail: string | null, errorCode: string | null): void => {
    if (settled) return;
    settled = true;
    over({ evidence: evidenceOf({ ending, detail, errorCode, head, framing, bodyBytes }) });
  };
  const failed = (error: NodeJS.ErrnoException): void => {
    const code = error.code ?? null;
    if (code?.startsWith('HPE_') === true) settle('parse-error', error.message, code);
    // "socket hang up" is Node's word for a connection that ended without a response.
    else settle(connection.endedBy === 'fin' ? 'fin' : 'rst', null, code);
  };
  /** Node ends a body that was read until close in order even when the connection was reset. */
  const ended = (incoming: IncomingMessage): void => {
    if (framing?.kind === 'close') settle(connection.endedBy === 'rst' ? 'rst' : 'fin', null, null);
    else if (incoming.complete) settle('message-end', null, null);
    else settle(connection.endedBy === 'fin' ? 'fin' : 'rst', null, null);
  };

  return {
    failed,
    abandon: () => {
      settle('client-gone', null, null);
      connection.destroy();
    },
    responded: (incoming, accept) => {
      head = headOf(incoming);
      const result = responseFraming(method, head);
      if (result.kind === 'malformed') {
        settle('parse-error', result.why, result.coding ? 'CODING' : null);
        connection.destroy();
        return;
      }
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

function headOf(incoming: IncomingMessage): ResponseHead {
  const { httpVersionMinor, statusCode = 0, statusMessage = '', rawHeaders } = incoming;
  return {
    minor: httpVersionMinor === 0 ? 0 : 1,
    status: statusCode,
    reason: statusMessage,
    fields: rawHeaders,
  };
}

type Observed = Pick<Evidence, 'ending' | 'detail' | 'errorCode' | 'head' | 'framing' | 'bodyBytes'>;

function evidenceOf(observed: Observed): Evidence {
  return {
    ...observed,
    streamed: true,
    // Node does not tell: enough to know that there was one.
    headBytes: observed.head === null ? 0 : 1,
    surplusBytes: 0,
    trailerFields: 0,
    reusedConnection: false,
    requestBody: 'none',
    timeout: null,
  };
}
