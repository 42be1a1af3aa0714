/** Collects the record of one exchange while it runs, and its timings and previews if there is a listener. */

import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { ErrorCode, ProxyError } from '../errors.ts';
import type { Request } from '../http/request.ts';
import { Previews } from '../spool/body-preview.ts';
import type { PreviewRoom, PreviewWriter } from '../spool/body-preview.ts';
import { AttemptTimings } from '../upstream/timings.ts';
import type { Answer } from './deliver.ts';
import type { AttemptRecord, ExchangeBegun, ExchangeNotes, ExchangeRecord, Outcome, Wait } from './events.ts';
import type { Services } from './transport.ts';

export class Recorder {
  readonly id: string = randomUUID();
  readonly #request: Request;
  readonly #startedAt = Date.now();
  readonly #startedMs = performance.now();
  readonly #clientAddress: string;

  readonly attempts: AttemptRecord[] = [];
  waitedMs = 0;
  requestBodyBytes = 0;
  status = 0;
  responseBytes = 0;
  outcome: Outcome = 'abandoned';
  error: ErrorCode | null = null;
  sentence: string | null = null;
  /** Null: there is no listener. */
  readonly notes: Timings | null;

  /** @param socket the client's */
  constructor(request: Request, socket: Socket, services: Pick<Services, 'watch' | 'addressOf'>) {
    this.#request = request;
    // Read now, because Node forgets the address when the socket closes.
    this.#clientAddress = services.addressOf(socket);
    const watcher = services.watch();
    this.notes = watcher === null ? null : new Timings(this.#startedMs, watcher.previewRoom);
    if (watcher !== null) this.#tell(watcher, socket);
  }

  /** Ms since the exchange began, from a monotonic clock. */
  readonly clock = (): number => performance.now() - this.#startedMs;

  blame(error: ProxyError): void {
    this.error = error.code;
    this.sentence = error.message;
  }

  #tell(watcher: Watcher, socket: Socket): void {
    const { method, url, httpVersion, fields } = this.#request;
    const begun = {
      id: this.id,
      startedAt: this.#startedAt,
      clientAddress: this.#clientAddress,
      clientPort: socket.remotePort ?? null,
      method,
      url,
      httpVersion,
      requestFields: fields,
    };
    watcher.begun(begun, socket, this.#startedMs);
  }

  close(): ExchangeRecord {
    this.notes?.over();
    const { method, url, httpVersion, fields } = this.#request;
    return {
      id: this.id,
      startedAt: this.#startedAt,
      durationMs: this.clock(),
      clientAddress: this.#clientAddress,
      method,
      url,
      httpVersion,
      requestFields: fields,
      requestBodyBytes: this.requestBodyBytes,
      status: this.status,
      responseBytes: this.responseBytes,
      attempts: this.attempts,
      waitedMs: this.waitedMs,
      verdict: this.attempts.at(-1)?.verdict ?? null,
      outcome: this.outcome,
      error: this.error,
      sentence: this.sentence,
      notes: this.notes,
    };
  }
}

/** The record of bytes that could not be parsed as a request. */
export function refusedRecord(clientAddress: string, error: ProxyError): ExchangeRecord {
  return {
    id: randomUUID(),
    startedAt: Date.now(),
    durationMs: 0,
    clientAddress,
    method: '-',
    url: '-',
    httpVersion: '',
    requestFields: [],
    requestBodyBytes: 0,
    status: error.status,
    responseBytes: 0,
    attempts: [],
    waitedMs: 0,
    verdict: null,
    outcome: 'refused',
    error: error.code,
    sentence: error.message,
    notes: null,
  };
}

/** Notified when an exchange begins. Its record says how it ended. */
export interface Watcher {
  /**
   * @param socket the client's, to observe how it ends
   * @param startedMs when the exchange began, by the monotonic clock
   */
  begun(begun: ExchangeBegun, socket: Socket, startedMs: number): void;
  /** The memory for the previews of active exchanges. */
  readonly previewRoom: PreviewRoom;
}

type Sent = Pick<Answer, 'reason' | 'fields'>;

export class Timings implements ExchangeNotes {
  /** When the exchange began, by the monotonic clock: a number, because a function would keep its exchange in memory. */
  readonly #startedMs: number;
  readonly #previews: Previews;
  #waitStartMs = 0;
  requestWholeMs: number | null = null;
  readonly waits: Wait[] = [];
  deliveryMs: number | null = null;
  writtenMs: number | null = null;
  keptAlive = false;
  requestBody: PreviewWriter | null = null;
  responseReason = '';
  responseFields: readonly string[] = [];
  answerBody: PreviewWriter | null = null;

  constructor(startedMs: number, room: PreviewRoom) {
    this.#startedMs = startedMs;
    this.#previews = new Previews(room);
  }

  /** For one more attempt of the exchange. */
  attempt(): AttemptTimings {
    return new AttemptTimings(this.#startedMs, this.#previews);
  }

  /** Call before the request body is read by another listener. */
  receiving(request: IncomingMessage): void {
    const preview = this.#previews.begin();
    this.requestBody = preview;
    request.on('data', (bytes: Buffer) => preview.copy(bytes));
  }

  received(): void {
    this.requestWholeMs = this.#nowMs();
  }

  waitBegins(): void {
    this.#waitStartMs = this.#nowMs();
  }

  waitEnds(): void {
    this.waits.push({ startMs: this.#waitStartMs, endMs: this.#nowMs() });
  }

  /** A response is about to be written; `connection`: the fields that concern the connection. */
  delivering(response: ServerResponse, { reason, fields }: Sent, connection: readonly string[]): void {
    this.deliveryMs = this.#nowMs();
    this.responseReason = reason;
    this.responseFields = fields;
    this.keptAlive = connection[1] !== 'close';
    response.once('finish', () => {
      this.writtenMs = this.#nowMs();
    });
  }

  /** For our own response, whose body is in no attempt. */
  answering({ body }: Answer): void {
    this.answerBody = this.#previews.begin();
    for (const part of body?.memory ?? []) this.answerBody.copy(part);
  }

  /** Call when the exchange has ended: its previews then belong to the owner of its record. */
  over(): void {
    this.#previews.release();
  }

  #nowMs(): number {
    return performance.now() - this.#startedMs;
  }
}
