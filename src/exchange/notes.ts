/** What is noted of one exchange while somebody watches, and only then; and who that is. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { Previews } from '../spool/body-preview.ts';
import type { PreviewRoom, PreviewWriter } from '../spool/body-preview.ts';
import { AttemptNotes } from '../upstream/attempt-notes.ts';
import type { Answer } from './deliver.ts';
import type { ExchangeBegun, ExchangeNotes, Wait } from './events.ts';

/** Is told of exchanges as they begin. What becomes of them is told by their record. */
export interface Watcher {
  /**
   * @param socket the client's, to see how it ends
   * @param startedMs when the exchange began, by the monotonic clock
   */
  begun(begun: ExchangeBegun, socket: Socket, startedMs: number): void;
  /** For the previews of the bodies that are under way. */
  readonly previewRoom: PreviewRoom;
}

type Sent = Pick<Answer, 'reason' | 'fields'>;

export class Notes implements ExchangeNotes {
  /** When the exchange began, by the monotonic clock: a number, because a function would hold on to its exchange. */
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
  attempt(): AttemptNotes {
    return new AttemptNotes(this.#startedMs, this.#previews);
  }

  /** The body of the request is about to be read by another listener. */
  receiving(request: IncomingMessage): void {
    const preview = this.#previews.begin();
    this.requestBody = preview;
    request.on('data', (octets: Buffer) => preview.copy(octets));
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
    this.answerBody = this.#previews.begin();
    for (const part of body?.memory ?? []) this.answerBody.copy(part);
  }

  /** The exchange is over: its previews belong to whoever has its record. */
  over(): void {
    this.#previews.release();
  }

  #nowMs(): number {
    return performance.now() - this.#startedMs;
  }
}
