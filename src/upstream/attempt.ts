/** One attempt to get a response: sends the request over one connection and returns what was observed. */

import { performance } from 'node:perf_hooks';
import type { Duplex } from 'node:stream';
import { asksForConnectionLogin, keepsAlive } from '../http/framing.ts';
import type { Framing } from '../http/framing.ts';
import type { ResponseHead } from '../http/response-head.ts';
import type { BodySink } from '../spool/spooled-body.ts';
import type { Connecting, ConnectionEnd, ConnectionReader, UpstreamConnection } from './connection.ts';
import { CLIENT_GONE, connectFailed, evidenceOf, resetBy } from './evidence.ts';
import type { Ending, Evidence } from './evidence.ts';
import type { ConnectionPool } from './pool.ts';
import { RequestSender } from './request-sender.ts';
import type { RequestToSend } from './request-sender.ts';
import { ResponseReader } from './response-reader.ts';
import type { ResponseObserver } from './response-reader.ts';

/** A new connection that is silent for this long may not have been accepted yet, because idle ones occupy the upstream. */
const UNACCEPTED_MS = 250;

const REQUEST_LOST: Ending = {
  kind: 'limit',
  limit: 'spool',
  detail: 'its request body could not be read back from --spool-dir',
};

export interface AttemptTimeouts {
  readonly firstByteTimeoutMs: number;
  readonly bodyIdleTimeoutMs: number;
}

/** Called with the final head: returns where the body goes. `streams`: it is relayed as it arrives, without time limits. */
export type Accept = (
  head: ResponseHead,
  framing: Framing,
) => { readonly sink: BodySink; readonly streams: boolean };

export interface AttemptOptions extends AttemptTimeouts, RequestToSend {
  readonly method: string;
  readonly maxHeaderBytes: number;
  /** Whether an idle connection may be used. */
  readonly mayReuse: boolean;
  /** The client's connection, which may have a personal connection to the upstream. */
  readonly client: Duplex;
  /** Whether the request authenticates its connection, which from then on belongs to `client`. */
  readonly logsIn: boolean;
  readonly pool: ConnectionPool;
  readonly connect: () => Connecting;
  /** An interim response (1xx) arrived. */
  readonly interim: (head: ResponseHead) => void;
  readonly accept: Accept;
}

export class Attempt implements ConnectionReader, ResponseObserver {
  readonly #options: AttemptOptions;
  readonly #sender: RequestSender;
  readonly #reader: ResponseReader;
  #connecting: Connecting | null = null;
  #connection: UpstreamConnection | null = null;
  #unaccepted: NodeJS.Timeout | null = null;
  /** Whether the connection belongs to this client connection alone. */
  #personal: boolean;
  #reused = false;
  #streamed = false;
  #paused = false;
  /** During a read: bytes after the message have not been counted yet. */
  #reading = false;
  /** When the head was complete and the body was not; null: not so. */
  #awaitsBodySinceMs: number | null = null;
  #settle: ((evidence: Evidence) => void) | null = null;
  #evidence: Evidence | null = null;

  constructor(options: AttemptOptions) {
    this.#options = options;
    this.#personal = options.logsIn;
    this.#sender = new RequestSender(options, () => this.messageEnded(REQUEST_LOST));
    this.#reader = new ResponseReader(options.method, options.maxHeaderBytes, this);
  }

  /** Never rejects: every outcome is evidence. */
  async run(): Promise<Evidence> {
    const kept = this.#kept();
    const used = kept === null ? null : await kept;
    this.#reused = used !== null;
    const connection = used ?? (await this.#connect());
    if (this.#evidence === null && connection !== null) return await this.#runOn(connection);
    connection?.destroy();
    return this.#evidence ?? this.#record(CLIENT_GONE);
  }

  /** A connection that was used before: the client's personal one, or one from the pool. */
  #kept(): Promise<UpstreamConnection | null> | null {
    const { mayReuse, logsIn, client, pool } = this.#options;
    const own = pool.personal.take(client);
    if (own !== null) this.#personal = true;
    return own ?? (mayReuse && !logsIn ? pool.take() : null);
  }

  #runOn(connection: UpstreamConnection): Promise<Evidence> {
    return new Promise((resolve) => {
      this.#settle = resolve;
      this.#send(connection);
    });
  }

  /** Gives the attempt up because the client has left. */
  abandon(): void {
    this.messageEnded(CLIENT_GONE);
    this.#connecting?.cancel();
  }

  // The connection's reader

  window(): Uint8Array | null {
    return this.#reader.window();
  }

  bytes(buffer: Uint8Array, count: number): boolean {
    this.#options.notes?.arrived();
    this.#stopWaitingForRoom();
    this.#reading = true;
    this.#reader.read(buffer, count);
    this.#reading = false;
    if (this.#evidence !== null) {
      this.#finish();
      return true;
    }
    const { sink } = this.#reader;
    if (sink === null) return true;
    this.#limitIdleTime();
    if (!sink.congested) return true;
    this.#pause(sink);
    return false;
  }

  ended(how: ConnectionEnd): void {
    this.#reader.end(how);
  }

  timedOut(): void {
    // The upstream may be waiting for the body: it is sent, and the timeout starts again.
    if (!this.#sender.flushBody()) this.#reader.end(this.#timeout());
  }

  // The response's observer

  interim(head: ResponseHead): void {
    this.#options.interim(head);
    if (head.status === 100) this.#sender.continued();
  }

  head(head: ResponseHead, framing: Framing): BodySink {
    const { sink, streams } = this.#options.accept(head, framing);
    this.#streamed = streams;
    this.#sender.responseBegan();
    return this.#options.notes?.keeping(sink) ?? sink;
  }

  messageEnded(ending: Ending): void {
    if (this.#evidence !== null) return;
    this.#evidence = this.#record(ending);
    this.#sender.stop();
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
    if (this.#evidence !== null) return null;
    this.#connecting = this.#options.connect();
    const result = await this.#connecting.result;
    this.#connecting = null;
    if (result.kind === 'connected') {
      this.#options.notes?.mark('connectedMs');
      return result.connection;
    }
    this.#evidence ??= this.#record(connectFailed(result));
    return null;
  }

  #send(connection: UpstreamConnection): void {
    this.#connection = connection;
    connection.attach(this);
    connection.setTimeout(this.#options.firstByteTimeoutMs);
    if (!this.#reused) this.#unaccepted = setTimeout(() => this.#options.pool.makeRoom(), UNACCEPTED_MS);
    this.#sender.send(connection);
    if (!connection.usable) this.ended(resetBy(null));
  }

  /** The head has arrived without the whole body: from now on, the body's idle timeout applies. */
  #limitIdleTime(): void {
    if (this.#awaitsBodySinceMs !== null) return;
    this.#awaitsBodySinceMs = performance.now();
    this.#connection?.setTimeout(this.#streamed ? 0 : this.#options.bodyIdleTimeoutMs);
  }

  #pause(sink: BodySink): void {
    // TLS still delivers bytes that it had deciphered before it was paused.
    if (this.#paused) return;
    this.#paused = true;
    // While reading is paused, the upstream is not to blame for the silence.
    this.#connection?.setTimeout(0);
    sink.whenDrained(() => {
      this.#paused = false;
      if (sink.fault !== null) this.#reader.check();
      if (this.#evidence !== null) return;
      this.#connection?.setTimeout(this.#streamed ? 0 : this.#options.bodyIdleTimeoutMs);
      this.#connection?.resume();
    });
  }

  #stopWaitingForRoom(): void {
    if (this.#unaccepted !== null) clearTimeout(this.#unaccepted);
    this.#unaccepted = null;
  }

  /** Keeps the connection if both sides have finished and no bytes are left on it; otherwise closes it. */
  #releaseConnection(evidence: Evidence, surplusBytes: number): void {
    const connection = this.#connection;
    if (connection === null) return;
    this.#connection = null;
    this.#stopWaitingForRoom();
    const { head, framing, ending, requestBody } = evidence;
    const { pool, client } = this.#options;
    if (surplusBytes > 0) pool.distrust();
    const isDone = ending.kind === 'message-end' && surplusBytes === 0;
    if (!isDone || head === null || framing === null || !keepsAlive(head, framing)) connection.destroy();
    else if (this.#personal || asksForConnectionLogin(head.status, head.fields)) {
      // Reused for requests with bodies too, because only this connection is authenticated.
      if (requestBody === 'none' || requestBody === 'whole') pool.personal.put(client, connection);
      else connection.destroy();
    } else if (requestBody === 'none') pool.put(connection);
    else connection.destroy();
  }

  #timeout(): Ending {
    return { kind: 'timeout', waitedFor: this.#reader.head === null ? 'first-byte' : 'body-idle' };
  }

  #record(ending: Ending): Evidence {
    const { head, framing, headBytes, interimBytes, bodyBytes, surplusBytes, trailerFields } = this.#reader;
    const sinceMs = this.#awaitsBodySinceMs;
    return evidenceOf(ending, {
      head,
      framing,
      streamed: this.#streamed,
      headBytes,
      interimBytes,
      bodyBytes,
      arrival: sinceMs === null ? null : { parts: this.#reader.bodyParts, ms: performance.now() - sinceMs },
      surplusBytes,
      trailerFields,
      reusedConnection: this.#reused,
      requestBody: this.#sender.bodySent,
      expectation: this.#sender.expectation,
    });
  }
}
