/** Passes a response that must stream on to the client as it comes; breaks it off visibly when it is cut. */

import type { ServerResponse } from 'node:http';
import { reset } from '../client/linger.ts';
import { flushHead, writeHead } from '../client/response-writer.ts';
import type { ReceiveClock } from '../client/send-progress.ts';
import { clientFields } from '../http/forwarding.ts';
import type { Framing } from '../http/framing.ts';
import type { Request } from '../http/request.ts';
import type { ResponseHead } from '../http/response-head.ts';
import type { BodySink } from '../spool/spooled-body.ts';

export class Relay implements BodySink {
  readonly #response: ServerResponse;
  readonly #clock: ReceiveClock;
  readonly #endsByClose: boolean;
  #bytes = 0;

  readonly status: number;
  readonly fault: null = null;

  /** Writes the head at once: a client may wait for it before there is any body. */
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
    // They lie in a buffer that the next read uses again.
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
      // An HTTP/1.0 client knows the end of a body without a length by our FIN alone: it must not linger.
      if (this.#endsByClose) socket?.end();
    });
  }

  /** No clean end for a response that has none: not even a client that reads until close can take this for the whole. */
  cut(): void {
    reset(this.#response.socket);
  }
}
