/**
 * One request and its response, from the first to the last step:
 * check → receive → fetch (attempt, judge, decide, repeat) → deliver | relay | refuse → record.
 * Buffered, streamed and upgraded exchanges differ in their transport alone.
 */

import { reset } from '../client/linger.ts';
import { localHints } from '../client/peer.ts';
import type { LocalHints } from '../client/peer.ts';
import { connectionFields, responseClosed } from '../client/response-writer.ts';
import { ReceiveClock } from '../client/send-progress.ts';
import type { Settings } from '../config/settings.ts';
import { ProxyError } from '../errors.ts';
import { refusalBeforehand } from '../http/request-check.ts';
import type { ResponseHead } from '../http/response-head.ts';
import type { ExchangeSpool } from '../spool/spool.ts';
import { BodyInMemory } from '../spool/spooled-body.ts';
import type { SpooledBody } from '../spool/spooled-body.ts';
import { deliver, upstreamAnswer } from './deliver.ts';
import type { Answer, Relay } from './deliver.ts';
import type { Outcome } from './events.ts';
import { explainDelivered } from './explain.ts';
import { Fetch } from './fetch.ts';
import type { Fetched } from './fetch.ts';
import { clientHead, maxForwards } from './forwarded-heads.ts';
import { receiveBody } from './receive.ts';
import type { Received, Receiving } from './receive.ts';
import { Recorder } from './recorder.ts';
import { finalRecipientAnswer, NO_FACTS, refusalAnswer, upstreamFailure } from './refuse.ts';
import type { RefusalFacts } from './refuse.ts';
import type { Asked, Transport } from './transport.ts';

/** The stage of an exchange. `answering`: a response is being sent, the upstream's or our own. */
type Stage =
  | { readonly kind: 'checking' | 'answering' }
  | { readonly kind: 'receiving'; readonly receiving: Receiving }
  | { readonly kind: 'fetching'; readonly fetch: Fetch };

export class Exchange {
  readonly #asked: Asked;
  readonly #transport: Transport;
  /** The client waits for 100 (Continue) before it sends its body (RFC 9110 section 10.1.1). */
  readonly #expectsContinue: boolean;
  readonly #settings: Settings;
  readonly #recorder: Recorder;
  readonly #spool: ExchangeSpool;
  readonly #receiveClock: ReceiveClock;
  /** Resolves when the response is closed: with true when it was sent to the last byte. */
  readonly #closed: Promise<boolean>;
  #stage: Stage = { kind: 'checking' };
  /** Why the exchange was stopped while it was fetching: a fault of the request, or the shutdown. */
  #fault: ProxyError | null = null;

  constructor(asked: Asked, transport: Transport, expectsContinue: boolean) {
    const { services, request, incoming, response } = asked;
    this.#asked = asked;
    this.#transport = transport;
    this.#expectsContinue = expectsContinue;
    this.#settings = services.settings;
    this.#recorder = new Recorder(request, incoming.socket, services);
    this.#spool = services.spool.ofExchange();
    this.#receiveClock = new ReceiveClock(incoming.socket, this.#settings.clientReceiveTimeoutMs);
    this.#closed = responseClosed(response, () => this.#abandon());
  }

  /** Never rejects. Afterwards only the record of the exchange is left. */
  async run(): Promise<void> {
    let body: SpooledBody | null = null;
    try {
      const received = this.#receivedAtOnce() ?? (await this.#receive());
      if (received.kind === 'refused') await this.#refuse(received.error, NO_FACTS);
      if (received.kind !== 'body') return;
      body = received.body;
      await this.#respond(body);
    } catch (cause) {
      await this.#fail(cause);
    } finally {
      body?.[Symbol.dispose]();
      this.#asked.services.record(this.#recorder.close());
    }
  }

  /** The request cannot be received completely: malformed, cut short or too slow. False: it is complete already. */
  fault(error: ProxyError): boolean {
    // A complete request gets its response, whatever follows it on the connection.
    return !this.#asked.incoming.complete && this.#giveUp(error);
  }

  /** The client's socket has been idle for its timeout. */
  clientTimedOut(): void {
    const { incoming } = this.#asked;
    const { clientSendTimeoutMs } = this.#settings;
    if (!this.#isReceiving()) return this.#checkProgress();
    // A paused request waits for the upstream, not for the client.
    if (incoming.readableFlowing === true) {
      const sentence = `No byte of the request body arrived within --client-send-timeout (${clientSendTimeoutMs} ms).`;
      this.fault(new ProxyError('request_timeout', sentence));
    } else {
      incoming.socket.setTimeout(clientSendTimeoutMs);
    }
  }

  /** The shutdown timeout has expired: refuses a request without a response, cuts a stream, and lets a complete response finish. */
  stop(error: ProxyError): void {
    if (this.#fault === null) this.#giveUp(error);
  }

  /** Null: there is a body to wait for. */
  #receivedAtOnce(): Received | null {
    const { request, services, refusal } = this.#asked;
    const { via } = services;
    const { maxHeaderBytes } = this.#settings;
    const error = refusal ?? refusalBeforehand(request, { via, maxHeaderBytes });
    if (error !== null) return { kind: 'refused', error };
    return this.#transport.kind !== 'buffered' || request.framing.kind === 'none' ? NO_BODY : null;
  }

  async #receive(): Promise<Received> {
    const { incoming, request, response } = this.#asked;
    const { clientSendTimeoutMs, maxRequestBodyBytes, memoryPerBodyBytes } = this.#settings;
    const expectedBytes = request.framing.kind === 'length' ? request.framing.length : null;
    const writer = this.#spool.writer(expectedBytes, memoryPerBodyBytes, maxRequestBodyBytes);
    const receiving = receiveBody(incoming, writer, clientSendTimeoutMs);
    this.#stage = { kind: 'receiving', receiving };
    this.#recorder.notes?.receiving(incoming);
    if (this.#expectsContinue && writer.fault === null) response.writeContinue();
    const received = await receiving.result;
    incoming.socket.setTimeout(0);
    return received;
  }

  async #respond(body: SpooledBody): Promise<void> {
    const { request, response } = this.#asked;
    if (response.destroyed) return;
    if (maxForwards(request) === 0) return await this.#send(finalRecipientAnswer(request), 'delivered');
    if (this.#transport.kind === 'buffered') this.#noteReceived(body);
    else if (this.#expectsContinue) response.writeContinue();
    const fetch = new Fetch({
      asked: this.#asked,
      transport: this.#transport,
      body: this.#transport.kind === 'buffered' ? body : null,
      spool: this.#spool,
      receiveClock: this.#receiveClock,
      recorder: this.#recorder,
      clientHead: (head) => this.#clientHead(head),
    });
    this.#stage = { kind: 'fetching', fetch };
    const fetched = await fetch.run();
    this.#stage = { kind: 'answering' };
    await this.#conclude(fetched);
  }

  #noteReceived(body: SpooledBody): void {
    this.#recorder.requestBodyBytes = body.bytes;
    this.#recorder.notes?.received();
  }

  #conclude(fetched: Fetched): Promise<void> | undefined {
    switch (fetched.kind) {
      case 'whole':
        return this.#sendWhole(fetched.head, fetched.body);
      case 'relayed':
        return this.#finishRelay(fetched.relay);
      case 'switched':
        this.#noteSwitched();
        return undefined;
      case 'refused':
        return this.#refuse(fetched.error, NO_FACTS);
      case 'failed': {
        const { attempts, waitedMs } = this.#recorder;
        const { error, facts } = upstreamFailure(attempts, waitedMs, this.#settings, this.#hints());
        return this.#refuse(error, facts);
      }
      case 'abandoned':
        return this.#fault === null ? undefined : this.#refuse(this.#fault, NO_FACTS);
    }
  }

  #clientHead(received: ResponseHead): ResponseHead {
    const { head, note } = clientHead(received, this.#asked);
    this.#recorder.sentence = note;
    return head;
  }

  async #sendWhole(head: ResponseHead, body: SpooledBody): Promise<void> {
    try {
      const verdict = this.#recorder.attempts.at(-1)?.verdict ?? 'complete';
      const answer = upstreamAnswer(this.#asked.request.method, this.#clientHead(head), body, verdict);
      this.#recorder.sentence = this.#deliveryNote();
      await this.#send(answer, 'delivered');
    } finally {
      body[Symbol.dispose]();
    }
  }

  /** What is worth saying about a response that is delivered; null: nothing. */
  #deliveryNote(): string | null {
    const { request, services } = this.#asked;
    const { attempts, waitedMs, sentence } = this.#recorder;
    const last = attempts.at(-1);
    const note = explainDelivered(attempts, waitedMs, this.#settings) ?? sentence;
    const hint = last === undefined ? null : services.heldBack.hint(request.url, last.evidence);
    return note === null || hint === null ? (note ?? hint) : `${note} ${hint}`;
  }

  #hints(): LocalHints {
    const { request, incoming, services } = this.#asked;
    return localHints(request, incoming.socket, services.nearby(), this.#recorder.id);
  }

  async #finishRelay(relay: Relay): Promise<void> {
    const recorder = this.#recorder;
    const verdict = recorder.attempts.at(-1)?.verdict;
    const isWhole = verdict === 'complete' || verdict === 'unverifiable';
    recorder.status = relay.status;
    if (isWhole) relay.end();
    else relay.cut();
    const sent = await this.#closed;
    recorder.responseBytes = relay.bytes;
    if (isWhole) recorder.outcome = sent ? 'relayed' : 'abandoned';
    if (isWhole || (verdict === 'abandoned' && this.#fault === null)) return;
    recorder.outcome = 'cut';
    recorder.blame(
      this.#fault ?? upstreamFailure(recorder.attempts, recorder.waitedMs, this.#settings).error,
    );
  }

  #noteSwitched(): void {
    this.#recorder.status = 101;
    this.#recorder.outcome = this.#fault === null ? 'upgraded' : 'cut';
    if (this.#fault !== null) this.#recorder.blame(this.#fault);
  }

  async #refuse(error: ProxyError, facts: RefusalFacts): Promise<void> {
    const { request, incoming, response } = this.#asked;
    this.#recorder.blame(error);
    if (response.headersSent || response.destroyed) {
      reset(response.socket);
      return;
    }
    // A request with full buffers would stop reading from the socket, and only the request can resume it.
    if (this.#transport.kind !== 'upgraded') incoming.unpipe().resume();
    // After malformed framing, the start of the next request is unknown (RFC 9112 section 6.3).
    if (error.source === 'client') response.shouldKeepAlive = false;
    await this.#send(refusalAnswer(request, error, facts, this.#recorder.id), 'refused');
  }

  async #send(answer: Answer, outcome: Outcome): Promise<void> {
    const { response, incoming, services, keepAliveTimeoutMs } = this.#asked;
    this.#stage = { kind: 'answering' };
    this.#recorder.status = answer.status;
    const connection = connectionFields(response, keepAliveTimeoutMs, services.isClosing());
    this.#recorder.notes?.delivering(response, answer, connection);
    if (outcome === 'refused') this.#recorder.notes?.answering(answer);
    const delivering = deliver(response, answer, connection);
    // No timeout is needed if the kernel has taken everything at once.
    if (delivering !== null || incoming.socket.writableLength > 0) this.#receiveClock.start();
    if (delivering !== null) await delivering;
    if (!(await this.#closed)) return;
    this.#recorder.outcome = outcome;
    this.#recorder.responseBytes = answer.body?.bytes ?? 0;
  }

  /** Whether the client still has to send a part of its request, and has no response yet. */
  #isReceiving(): boolean {
    const stage = this.#stage;
    if (this.#asked.incoming.complete) return false;
    const isPassedOn = this.#transport.kind === 'streamed' && stage.kind === 'fetching';
    return stage.kind === 'receiving' || (isPassedOn && !stage.fetch.isRelaying);
  }

  #checkProgress(): void {
    const sentence = this.#receiveClock.expired();
    if (sentence === null) return;
    this.#recorder.sentence = sentence;
    reset(this.#asked.incoming.socket);
  }

  /** Stops the exchange; the client gets the error as its response. False: a response is being sent already. */
  #giveUp(error: ProxyError): boolean {
    const stage = this.#stage;
    if (stage.kind === 'receiving') stage.receiving.stop({ kind: 'refused', error });
    else if (stage.kind !== 'fetching') return false;
    else {
      this.#fault ??= error;
      stage.fetch.abandon();
    }
    return true;
  }

  /** The client has left. */
  #abandon(): void {
    if (this.#stage.kind === 'fetching') this.#stage.fetch.abandon();
  }

  /** Handles an internal error: only this exchange fails, and the process continues. */
  async #fail(cause: unknown): Promise<void> {
    const why = cause instanceof Error ? cause.message : String(cause);
    try {
      const sentence = `lastbyte failed in this exchange: ${why}`;
      await this.#refuse(new ProxyError('internal_error', sentence, { cause }), NO_FACTS);
    } catch {
      reset(this.#asked.response.socket);
    }
  }
}

const NO_BODY: Received = { kind: 'body', body: new BodyInMemory([], 0, () => undefined) };
