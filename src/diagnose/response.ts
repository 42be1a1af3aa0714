/** Reads and counts one response of the server, without keeping its body. */

import type { ResponseHead } from '../http/response-head.ts';
import type { BodySink, SinkFault } from '../spool/spooled-body.ts';
import { CLIENT_GONE, evidenceOf } from '../upstream/evidence.ts';
import type { Ending, RequestBodySent } from '../upstream/evidence.ts';
import { ResponseReader, type ResponseObserver } from '../upstream/response-reader.ts';
import { judge } from '../upstream/verdict.ts';
import type { SeenResponse } from './tally.ts';

/** The proxy's default for --max-header. */
const MAX_HEADER_BYTES = 64 * 1024;

interface ProbedResponseOptions {
  readonly method: string;
  readonly maxBodyBytes: number;
  readonly reusedConnection: boolean;
  /** How much of the request body has been sent by now. */
  readonly requestBody: () => RequestBodySent;
  readonly onInterim: (status: number) => void;
  readonly onHead: () => void;
}

interface End {
  readonly ending: Ending;
  readonly requestBody: RequestBodySent;
  readonly atMs: number;
}

export class ProbedResponse implements ResponseObserver {
  readonly isOver: Promise<void>;
  readonly #reader: ResponseReader;
  readonly #options: ProbedResponseOptions;
  readonly #startedMs = performance.now();
  #firstByteMs: number | null = null;
  #end: End | null = null;
  #settle: () => void = () => undefined;

  constructor(options: ProbedResponseOptions) {
    this.#options = options;
    this.#reader = new ResponseReader(options.method, MAX_HEADER_BYTES, this);
    this.isOver = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  read(buffer: Uint8Array, count: number): void {
    this.#firstByteMs ??= this.#sinceStart();
    this.#reader.read(buffer, count);
  }

  /** Ends the response: no more bytes will come. */
  stop(ending: Ending): void {
    this.#reader.end(ending);
  }

  timedOut(): void {
    this.stop({ kind: 'timeout', waitedFor: this.#reader.head === null ? 'first-byte' : 'body-idle' });
  }

  get finished(): boolean {
    return this.#end !== null;
  }

  /** When the response's first byte came, by `performance.now()`; null: none has. */
  get firstByteAtMs(): number | null {
    return this.#firstByteMs === null ? null : this.#startedMs + this.#firstByteMs;
  }

  /** What was seen, including surplus bytes that have come after the response. */
  seen(): SeenResponse {
    const { ending, requestBody, atMs } = this.#end ?? this.#endWith(CLIENT_GONE);
    const { head, framing, headBytes, interimBytes, bodyBytes, surplusBytes, trailerFields } = this.#reader;
    const evidence = evidenceOf(ending, {
      head,
      framing,
      headBytes,
      interimBytes,
      bodyBytes,
      surplusBytes,
      trailerFields,
      reusedConnection: this.#options.reusedConnection,
      requestBody,
    });
    return { evidence, verdict: judge(evidence), firstByteMs: this.#firstByteMs, endedMs: atMs };
  }

  // ResponseObserver

  interim({ status }: ResponseHead): void {
    this.#options.onInterim(status);
  }

  head(): BodySink {
    this.#options.onHead();
    return new CountingSink(this.#options.maxBodyBytes);
  }

  messageEnded(ending: Ending): void {
    this.#end = this.#endWith(ending);
    // The current read still has to count surplus bytes after the message.
    queueMicrotask(this.#settle);
  }

  #endWith(ending: Ending): End {
    return { ending, requestBody: this.#options.requestBody(), atMs: this.#sinceStart() };
  }

  #sinceStart(): number {
    return performance.now() - this.#startedMs;
  }
}

class CountingSink implements BodySink {
  readonly congested = false;
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get fault(): SinkFault | null {
    return this.#bytes > this.#maxBytes ? { kind: 'too-large', limitBytes: this.#maxBytes } : null;
  }

  window(): null {
    return null;
  }

  commit(bytes: number): void {
    this.#bytes += bytes;
  }

  append({ length }: Uint8Array): void {
    this.#bytes += length;
  }

  whenDrained(resume: () => void): void {
    resume();
  }
}
