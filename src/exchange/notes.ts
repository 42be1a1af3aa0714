/** What is noted of one exchange while somebody watches, and only then; and who that is. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { BodyStart } from '../spool/body-start.ts';
import type { Answer } from './deliver.ts';
import type { ExchangeBegun, ExchangeNotes, Wait } from './events.ts';

/** Is told of exchanges as they begin. What becomes of them is told by their record. */
export interface Watcher {
  /**
   * @param socket the client's, to see how it ends
   * @param startedMs when the exchange began, by the monotonic clock
   */
  begun(begun: ExchangeBegun, socket: Socket, startedMs: number): void;
}

type Sent = Pick<Answer, 'reason' | 'fields'>;

export class Notes implements ExchangeNotes {
  /** When the exchange began, by the monotonic clock: a number, because a function would hold on to its exchange. */
  readonly startedMs: number;
  #waitStartMs = 0;
  requestWholeMs: number | null = null;
  readonly waits: Wait[] = [];
  deliveryMs: number | null = null;
  writtenMs: number | null = null;
  keptAlive = false;
  requestBody: BodyStart | null = null;
  responseReason = '';
  responseFields: readonly string[] = [];
  answerBody: BodyStart | null = null;

  constructor(startedMs: number) {
    this.startedMs = startedMs;
  }

  /** The body of the request is about to be read by another listener. */
  receiving(request: IncomingMessage): void {
    const start = new BodyStart();
    this.requestBody = start;
    request.on('data', (octets: Buffer) => start.copy(octets));
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
    this.keptAlive = connection[1] === 'keep-alive';
    response.once('finish', () => {
      this.writtenMs = this.#nowMs();
    });
  }

  /** The answer is one of ours: no attempt has its body. */
  answering({ body }: Answer): void {
    this.answerBody = new BodyStart();
    for (const part of body?.memory ?? []) this.answerBody.copy(part);
  }

  #nowMs(): number {
    return performance.now() - this.startedMs;
  }
}
