/** Keeps what will be the record of one exchange while it runs. */

import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { ErrorCode, ProxyError } from '../errors.ts';
import type { AttemptRecord, ExchangeRecord, Outcome } from './events.ts';
import type { Request } from '../http/request.ts';
import { Notes } from './notes.ts';
import type { Watcher } from './notes.ts';
import type { Services } from './services.ts';

export class Journal {
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
  /** Null: nobody watches. */
  readonly notes: Notes | null;

  /** @param socket the client's */
  constructor(request: Request, socket: Socket, services: Pick<Services, 'watcher' | 'addressOf'>) {
    this.#request = request;
    // The address is forgotten when the socket closes.
    this.#clientAddress = services.addressOf(socket);
    const { watcher } = services;
    this.notes = watcher === null ? null : new Notes(this.#startedMs, watcher.previewRoom);
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

/** The record of what never became a request. */
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
