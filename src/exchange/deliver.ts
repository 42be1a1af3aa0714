/** Writes a response to the client: our own, one that is complete, or one that is relayed as it arrives. */

import type { ServerResponse } from 'node:http';
import { TLSSocket } from 'node:tls';
import { reset } from '../client/linger.ts';
import { flushHead, writeHead, written } from '../client/response-writer.ts';
import type { ReceiveClock } from '../client/send-progress.ts';
import { clientFields } from '../http/forwarding.ts';
import type { Framing } from '../http/framing.ts';
import { UNVERIFIABLE_STATUS } from '../http/problem.ts';
import type { Request } from '../http/request.ts';
import type { ResponseHead } from '../http/response-head.ts';
import type { BodySink, SpooledBody } from '../spool/spooled-body.ts';
import type { VerdictKind } from '../upstream/verdict.ts';

export interface Answer {
  readonly status: number;
  readonly reason: string;
  /** Without the fields that concern the connection; Content-Length is exact. */
  readonly fields: readonly string[];
  readonly body: SpooledBody | null;
}

/**
 * The upstream's response, framed by its exact length (RFC 9110 section 8.6), which leaves no place for trailers. With that
 * length, an unverifiable body would look complete, so Proxy-Status says that it may not be.
 */
export function upstreamAnswer(
  method: string,
  head: ResponseHead,
  body: SpooledBody,
  verdict: VerdictKind,
): Answer {
  const { status, reason } = head;
  const length = hasBody(method, status) ? body.bytes : null;
  const fields = clientFields({ fields: head.fields, status, method, length });
  if (verdict === 'unverifiable') fields.push(...UNVERIFIABLE_STATUS);
  return { status, reason, fields, body: length === null ? null : body };
}

/** Whether a response to this method and with this status has a body at all (RFC 9112 section 6.3). */
export function hasBody(method: string, status: number): boolean {
  return method !== 'HEAD' && status >= 200 && status !== 204 && status !== 304;
}

/**
 * Writes the response. Settles when everything is written to Node's response, not when it is sent: see `responseClosed`.
 * Null: everything is written already.
 */
export function deliver(
  response: ServerResponse,
  answer: Answer,
  connection: readonly string[],
): Promise<void> | null {
  const { body } = answer;
  writeHead(response, answer, connection);
  if (body === null) {
    response.end();
  } else if (body.memory === null || isEncrypted(response)) {
    return deliverParts(response, body);
  } else if (body.memory.length === 1) {
    response.end(body.memory[0]);
  } else {
    for (const part of body.memory) response.write(part);
    response.end();
  }
  return null;
}

/** Writes one part at a time, so that only one is in memory. */
async function deliverParts(response: ServerResponse, body: SpooledBody): Promise<void> {
  for await (const part of body.parts()) {
    if (!(await written(response, part))) return;
  }
  response.end();
}

/** A single large write over TLS shows no progress, so a slow client would look like one that reads nothing. */
function isEncrypted(response: ServerResponse): boolean {
  return response.socket instanceof TLSSocket;
}

/** Relays a response that must stream to the client as it arrives; if it is cut, the client sees that. */
export class Relay implements BodySink {
  readonly #response: ServerResponse;
  readonly #clock: ReceiveClock;
  readonly #endsByClose: boolean;
  #bytes = 0;

  readonly status: number;
  readonly fault: null = null;

  /** Writes the head at once: a client may need it before any of the body arrives. */
  constructor(
    response: ServerResponse,
    { method, minor }: Request,
    head: ResponseHead,
    framing: Framing,
    connection: readonly string[],
    clock: ReceiveClock,
  ) {
    this.#response = response;
    this.#clock = clock;
    const length = framing.kind === 'length' ? framing.length : null;
    const { status, reason } = head;
    this.status = status;
    this.#endsByClose = length === null && minor === 0;
    const fields = clientFields({ fields: head.fields, status, method, length });
    writeHead(response, { status, reason, fields }, connection);
    flushHead(response);
  }

  get bytes(): number {
    return this.#bytes;
  }

  window(): Uint8Array | null {
    return null;
  }

  commit(): void {
    throw new Error('A relay has no window to commit to.');
  }

  append(bytes: Uint8Array): void {
    if (this.#response.destroyed) return;
    this.#bytes += bytes.length;
    // Copied, because the next read reuses this buffer.
    this.#response.write(Buffer.from(bytes));
  }

  get congested(): boolean {
    return this.#response.writableNeedDrain && !this.#response.destroyed;
  }

  whenDrained(resume: () => void): void {
    this.#clock.start();
    this.#response.once('drain', () => {
      this.#clock.stop();
      resume();
    });
  }

  end(): void {
    const { socket } = this.#response;
    this.#clock.start();
    this.#response.end(() => {
      // For an HTTP/1.0 client, only our FIN ends a body without a length, so the FIN must not wait for lingering.
      if (this.#endsByClose) socket?.end();
    });
  }

  /** Resets the connection, so that even a client that reads until close does not take the response for complete. */
  cut(): void {
    reset(this.#response.socket);
  }
}
