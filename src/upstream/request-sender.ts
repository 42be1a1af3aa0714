/** Sends one request over one connection: the head at once, and the body after its hold. */

import type { SpooledBody } from '../spool/spooled-body.ts';
import type { UpstreamConnection } from './connection.ts';
import type { Expectation, RequestBodySent } from './evidence.ts';
import type { AttemptTimings } from './timings.ts';

/** How long the body is withheld, in ms; 0: not at all. */
export interface Hold {
  /** Whether to send `Expect: 100-continue` (RFC 9110 section 10.1.1). */
  readonly expectContinue: boolean;
  /** While the upstream is silent. */
  readonly silentMs: number;
  /** After its 100 (Continue). */
  readonly continuedMs: number;
  /** After its final head. */
  readonly respondingMs: number;
  /** Whether the route sent 100 (Continue) the last time. */
  readonly saysContinue: boolean;
}

export interface RequestToSend {
  /** The request line and fields, latin1, ready to be sent. */
  readonly head: string;
  /** Null: the request has no body, or an empty one. */
  readonly body: SpooledBody | null;
  /** How long the body is withheld. */
  readonly hold: Hold;
  /** Null: no timings are taken. */
  readonly notes: AttemptTimings | null;
}

export class RequestSender {
  readonly #request: RequestToSend;
  readonly #unreadable: () => void;
  #connection: UpstreamConnection | null = null;
  /** While the body is withheld: cancels the timer. */
  #held: (() => void) | null = null;
  #stopped = false;
  #bodySent: RequestBodySent;
  #expectation: Expectation = 'none';

  /** @param unreadable called when the body could not be read back from its file */
  constructor(request: RequestToSend, unreadable: () => void) {
    this.#request = request;
    this.#unreadable = unreadable;
    this.#bodySent = request.body === null ? 'none' : 'withheld';
  }

  get bodySent(): RequestBodySent {
    return this.#bodySent;
  }

  get expectation(): Expectation {
    return this.#expectation;
  }

  send(connection: UpstreamConnection): void {
    const { head, body, hold, notes } = this.#request;
    this.#connection = connection;
    const expects = body !== null && hold.expectContinue;
    if (expects) this.#expectation = 'unanswered';
    const isOneWrite = body !== null && hold.silentMs === 0;
    if (isOneWrite) connection.socket.cork();
    connection.write(expects ? expectingContinue(head) : head);
    notes?.mark('headSentMs');
    if (body !== null) this.#holdFor(hold.silentMs);
    if (isOneWrite) connection.socket.uncork();
  }

  /** Call when the upstream has sent 100 (Continue). */
  continued(): void {
    if (this.#expectation !== 'unanswered') return;
    this.#expectation = 'continued';
    if (this.#held !== null) this.#holdFor(this.#request.hold.continuedMs);
  }

  /** Call at the final head: the response may not need the body, so it stays withheld, but not for ever, because it may. */
  responseBegan(): void {
    if (this.#held !== null) this.#holdFor(this.#request.hold.respondingMs);
  }

  /** Sends a body that is still withheld. False: there is none. */
  flushBody(): boolean {
    if (this.#held === null) return false;
    this.#holdFor(0);
    return true;
  }

  /** Sends nothing more. */
  stop(): void {
    this.#stopped = true;
    this.#held?.();
    this.#held = null;
  }

  #holdFor(ms: number): void {
    this.#held?.();
    this.#held = null;
    if (ms > 0) {
      const timer = setTimeout(() => this.#sendAfterReads(), ms);
      this.#held = () => clearTimeout(timer);
    } else if (this.#connection !== null && this.#request.body !== null)
      this.#sendBody(this.#connection, this.#request.body);
  }

  /** After a blocked event loop, timers run before reads: a response may have arrived already (test/wire/blocked-loop.test.ts). */
  #sendAfterReads(): void {
    const look = setImmediate(() => this.#holdFor(0));
    this.#held = () => clearImmediate(look);
  }

  #sendBody(connection: UpstreamConnection, body: SpooledBody): void {
    this.#bodySent = 'partly';
    this.#request.notes?.mark('bodyStartMs');
    const [only, ...more] = body.memory ?? [];
    if (only !== undefined && more.length === 0) {
      connection.write(only, (error) => this.#bodyIsSent(error));
      return;
    }
    this.#writeParts(connection, body).then(
      (sentWhole) => sentWhole && this.#bodyIsSent(null),
      this.#unreadable,
    );
  }

  /** False: stopped before the end. */
  async #writeParts(connection: UpstreamConnection, body: SpooledBody): Promise<boolean> {
    for await (const part of body.parts()) {
      if (this.#stopped) return false;
      await new Promise<void>((resolve) => {
        connection.write(part, () => resolve());
      });
    }
    return !this.#stopped;
  }

  #bodyIsSent(error: Error | null | undefined): void {
    if (error || this.#bodySent !== 'partly') return;
    this.#bodySent = 'whole';
    this.#request.notes?.mark('bodySentMs');
  }
}

function expectingContinue(head: string): string {
  return `${head.slice(0, -2)}Expect: 100-continue\r\n\r\n`;
}
