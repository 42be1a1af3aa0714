/** One try to get a response: sends the request over one connection and records what came back. */

import { performance } from 'node:perf_hooks';
import type { Framing } from '../http/framing.ts';
import { keepsAlive } from '../http/framing.ts';
import type { ResponseHead } from '../http/response-head.ts';
import type { BodySink } from '../spool/body-sink.ts';
import type { SpooledBody } from '../spool/spooled-body.ts';
import type { AttemptNotes } from './attempt-notes.ts';
import type { Connecting, ConnectionReader, UpstreamConnection } from './connection.ts';
import type { Ending, Evidence, Expectation, RequestBodySent } from './evidence.ts';
import type { ConnectionPool } from './pool.ts';
import { ResponseReader } from './response-reader.ts';
import type { ResponseObserver } from './response-reader.ts';

export interface AttemptTimeouts {
  readonly firstByteTimeoutMs: number;
  readonly bodyIdleTimeoutMs: number;
}

/** How long the body is held back, in ms; 0: not at all. */
export interface Hold {
  /** Whether the upstream is asked to say 100 (Continue) when it takes the request up (RFC 9110 section 10.1.1). */
  readonly expectContinue: boolean;
  /** While the upstream is silent. */
  readonly silentMs: number;
  /** From its 100 (Continue) on. */
  readonly continuedMs: number;
  /** From its final head on. */
  readonly answeringMs: number;
  /** Whether its route said 100 (Continue) when it was asked last. */
  readonly saysContinue: boolean;
}

export interface AttemptOptions extends AttemptTimeouts {
  readonly method: string;
  /** The request line and fields, latin1, ready to be sent. */
  readonly head: string;
  /** Null: the request has no body, or an empty one. */
  readonly body: SpooledBody | null;
  /** How the body is held back. */
  readonly hold: Hold;
  readonly maxHeaderBytes: number;
  /** Whether an idle connection will do. */
  readonly mayReuse: boolean;
  readonly pool: ConnectionPool;
  readonly connect: () => Connecting;
  /** An interim response (1xx) arrived. */
  readonly interim: (head: ResponseHead) => void;
  /** The final head arrived: where does the body go? `streams`: it is relayed as it comes, without time limits. */
  readonly accept: (
    head: ResponseHead,
    framing: Framing,
  ) => { readonly sink: BodySink; readonly streams: boolean };
  /** Null: nobody watches. */
  readonly notes: AttemptNotes | null;
}

/** More than this at once was not held back by Nagle's algorithm: it is several segments, or we read late. */
const SMALL_PART_BYTES = 4096;

export class Attempt implements ConnectionReader, ResponseObserver {
  readonly #options: AttemptOptions;
  readonly #reader: ResponseReader;
  #connecting: Connecting | null = null;
  #connection: UpstreamConnection | null = null;
  #reused = false;
  /** How long a used connection had rested at least. */
  #restMs = 0;
  #streamed = false;
  #paused = false;
  #requestBody: RequestBodySent;
  #expectation: Expectation = 'none';
  #hold: NodeJS.Timeout | null = null;
  /** A read is under way: what stands behind the message is still to be counted. */
  #reading = false;
  #awaitsBody = false;
  /** When the first octets came over a used connection; null: not yet, or more has come. */
  #firstReadMs: number | null = null;
  #reads = 0;
  #settle: ((evidence: Evidence) => void) | null = null;
  #evidence: Evidence | null = null;

  constructor(options: AttemptOptions) {
    this.#options = options;
    this.#requestBody = options.body === null ? 'none' : 'withheld';
    this.#reader = new ResponseReader(options.method, options.maxHeaderBytes, this);
  }

  /** Never rejects: however it ends, that is the evidence. */
  run(): Promise<Evidence> {
    const { mayReuse, pool } = this.#options;
    const idle = mayReuse ? pool.take() : null;
    this.#reused = idle !== null;
    this.#restMs = pool.restMs;
    return idle === null ? this.#runAnew() : this.#runOn(idle);
  }

  async #runAnew(): Promise<Evidence> {
    const connection = await this.#connect();
    if (this.#evidence === null && connection !== null) return await this.#runOn(connection);
    connection?.destroy();
    return this.#evidence ?? this.#record('connect-failed', null, null);
  }

  #runOn(connection: UpstreamConnection): Promise<Evidence> {
    return new Promise((resolve) => {
      this.#settle = resolve;
      this.#send(connection);
    });
  }

  /** Gives the attempt up because the client has left. */
  abandon(): void {
    this.over('client-gone', null, null);
    this.#connecting?.cancel();
  }

  // The connection's reader

  window(): Uint8Array | null {
    return this.#reader.window();
  }

  bytes(buffer: Uint8Array, count: number): boolean {
    this.#options.notes?.arrived();
    this.#endLag();
    this.#reading = true;
    this.#reader.read(buffer, count);
    this.#reading = false;
    if (this.#evidence !== null) {
      this.#finish();
      return true;
    }
    this.#beginLag(count);
    const { sink } = this.#reader;
    if (sink === null) return true;
    this.#limitIdleTime();
    if (!sink.congested) return true;
    this.#pause(sink);
    return false;
  }

  ended(how: 'fin' | 'rst', errorCode: string | null): void {
    this.#reader.end(how, errorCode);
  }

  timedOut(): void {
    const { body } = this.#options;
    // It may well wait for the body: it gets that, and the time once more.
    if (this.#hold !== null && this.#connection !== null && body !== null) {
      clearTimeout(this.#hold);
      this.#sendBody(this.#connection, body);
      return;
    }
    this.#reader.end('timeout', null);
  }

  // The response's observer

  interim(head: ResponseHead): void {
    this.#options.interim(head);
    if (head.status !== 100 || this.#expectation !== 'unanswered') return;
    this.#expectation = 'continued';
    this.#holdFor(this.#options.hold.continuedMs);
  }

  head(head: ResponseHead, framing: Framing): BodySink {
    const { sink, streams } = this.#options.accept(head, framing);
    this.#streamed = streams;
    // It begins without the body, so it may well be whole without it. But not held for ever: it may wait for the body.
    this.#holdFor(this.#options.hold.answeringMs);
    return this.#options.notes?.keeping(sink) ?? sink;
  }

  over(ending: Ending, detail: string | null, errorCode: string | null): void {
    if (this.#evidence !== null) return;
    this.#evidence = this.#record(ending, detail, errorCode);
    if (this.#hold !== null) clearTimeout(this.#hold);
    if (!this.#reading) this.#finish();
  }

  #finish(): void {
    const evidence = this.#evidence;
    const settle = this.#settle;
    if (evidence === null || settle === null) return;
    const { surplusBytes } = this.#reader;
    this.#releaseConnection(evidence, surplusBytes);
    settle(surplusBytes === 0 ? evidence : { ...evidence, surplusBytes });
  }

  async #connect(): Promise<UpstreamConnection | null> {
    this.#connecting = this.#options.connect();
    const result = await this.#connecting.result;
    this.#connecting = null;
    if (result.kind === 'connected') {
      this.#options.notes?.mark('connectedMs');
      return result.connection;
    }
    const { errorCode, timedOut } = result;
    this.#evidence ??= {
      ...this.#record('connect-failed', null, errorCode),
      timeout: timedOut ? 'connect' : null,
    };
    return null;
  }

  #send(connection: UpstreamConnection): void {
    const { head, body, hold, firstByteTimeoutMs, notes } = this.#options;
    this.#connection = connection;
    connection.attach(this);
    connection.setTimeout(firstByteTimeoutMs);
    const sentHead = body !== null && hold.expectContinue ? expectingContinue(head) : head;
    if (sentHead !== head) this.#expectation = 'unanswered';
    const withBody = body !== null && hold.silentMs === 0;
    if (withBody) connection.socket.cork();
    connection.write(sentHead);
    notes?.mark('headSentMs');
    if (withBody) {
      this.#sendBody(connection, body);
      connection.socket.uncork();
    } else if (body !== null) {
      this.#hold = setTimeout(() => this.#sendBody(connection, body), hold.silentMs);
    }
    if (!connection.usable) this.ended('rst', null);
  }

  /** Holds a body that is still held for this long from now on. */
  #holdFor(ms: number): void {
    const connection = this.#connection;
    const { body } = this.#options;
    if (this.#hold === null || connection === null || body === null) return;
    clearTimeout(this.#hold);
    if (ms > 0) this.#hold = setTimeout(() => this.#sendBody(connection, body), ms);
    else this.#sendBody(connection, body);
  }

  #sendBody(connection: UpstreamConnection, body: SpooledBody): void {
    this.#hold = null;
    this.#requestBody = 'partly';
    this.#options.notes?.mark('bodyStartMs');
    const [only, ...more] = body.memory ?? [];
    if (only !== undefined && more.length === 0) {
      connection.write(only, (error) => this.#bodySent(error));
      return;
    }
    this.#writeParts(connection, body).then(
      (sentWhole) => sentWhole && this.#bodySent(null),
      () => this.over('limit', 'its request body could not be read back from --spool-dir', 'LIMIT_SPOOL'),
    );
  }

  /** False: the attempt was over before the body was. */
  async #writeParts(connection: UpstreamConnection, body: SpooledBody): Promise<boolean> {
    for await (const part of body.parts()) {
      if (this.#evidence !== null) return false;
      await new Promise<void>((resolve) => {
        connection.write(part, () => resolve());
      });
    }
    return this.#evidence === null;
  }

  #bodySent(error: Error | null | undefined): void {
    if (error || this.#requestBody !== 'partly') return;
    this.#requestBody = 'whole';
    this.#options.notes?.mark('bodySentMs');
  }

  /** The head came, and the body not with it. */
  #limitIdleTime(): void {
    if (this.#awaitsBody) return;
    this.#awaitsBody = true;
    this.#connection?.setTimeout(this.#streamed ? 0 : this.#options.bodyIdleTimeoutMs);
  }

  /** The first octets over a used connection are alone. A stream is so because it has nothing to say yet. */
  #beginLag(count: number): void {
    this.#reads += 1;
    if (this.#reused && !this.#streamed && this.#reads === 1 && count < SMALL_PART_BYTES)
      this.#firstReadMs = performance.now();
  }

  #endLag(): void {
    if (this.#firstReadMs === null) return;
    this.#options.pool.lagged(performance.now() - this.#firstReadMs, this.#restMs);
    this.#firstReadMs = null;
  }

  #pause(sink: BodySink): void {
    // TLS still delivers what it has deciphered after it was told to stop.
    if (this.#paused) return;
    this.#paused = true;
    // A connection that is not read waits for us, not for the upstream.
    this.#connection?.setTimeout(0);
    sink.whenDrained(() => {
      this.#paused = false;
      if (sink.fault !== null) this.#reader.check();
      if (this.#evidence !== null) return;
      this.#connection?.setTimeout(this.#streamed ? 0 : this.#options.bodyIdleTimeoutMs);
      this.#connection?.resume();
    });
  }

  /** Back into the pool, if both sides are done with it and nothing is left on it; closed otherwise. */
  #releaseConnection(evidence: Evidence, surplusBytes: number): void {
    const connection = this.#connection;
    if (connection === null) return;
    this.#connection = null;
    const { head, framing, ending, requestBody } = evidence;
    const done = ending === 'message-end' && surplusBytes === 0 && requestBody === 'none';
    if (done && head !== null && framing !== null && keepsAlive(head, framing))
      this.#options.pool.put(connection);
    else connection.destroy();
  }

  #record(ending: Ending, detail: string | null, errorCode: string | null): Evidence {
    const { head, framing, headBytes, interimBytes, bodyBytes, surplusBytes, trailerFields } = this.#reader;
    const waitedFor = head === null ? 'first-byte' : 'body-idle';
    return {
      ending,
      head,
      framing,
      streamed: this.#streamed,
      headBytes,
      interimBytes,
      bodyBytes,
      surplusBytes,
      trailerFields,
      reusedConnection: this.#reused,
      requestBody: this.#requestBody,
      expectation: this.#expectation,
      timeout: ending === 'timeout' ? waitedFor : null,
      detail,
      errorCode,
    };
  }
}

function expectingContinue(head: string): string {
  return `${head.slice(0, -2)}Expect: 100-continue\r\n\r\n`;
}
