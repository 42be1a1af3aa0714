/**
 * One buffered request and its answer, from the first to the last step:
 * check → receive → try (judge, decide, again) → deliver | relay | refuse → done.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Settings } from '../config/settings.ts';
import { ProxyError } from '../errors.ts';
import { ALLOWED_METHODS } from '../http/problem.ts';
import type { Request } from '../http/request.ts';
import type { ResponseHead } from '../http/response-head.ts';
import type { ExchangeSpool } from '../spool/spool.ts';
import { bodyInMemory } from '../spool/spooled-body.ts';
import type { SpooledBody } from '../spool/spooled-body.ts';
import { refusalBeforehand } from './check.ts';
import { clientHead } from './client-head.ts';
import { connectionFields, deliver, responseClosed, upstreamAnswer } from './deliver.ts';
import type { Answer } from './deliver.ts';
import type { AttemptRecord, Outcome } from './events.ts';
import { explainSaved, explainSurplus, explainTrailers, explainUnverifiable } from './explain.ts';
import { upstreamFailure } from './upstream-failure.ts';
import { Journal } from './journal.ts';
import { localHints } from '../client/peer.ts';
import type { LocalHints } from '../client/peer.ts';
import { ReceiveClock } from '../client/send-progress.ts';
import { receiveBody } from './receive.ts';
import type { Received, Receiving } from './receive.ts';
import { NO_FACTS, refusalAnswer } from './refuse.ts';
import type { RefusalFacts } from './refuse.ts';
import type { Relay } from './relay.ts';
import { reset } from '../client/linger.ts';
import { headContext, maxForwards, upstreamHead } from './request-head.ts';
import type { HeadContext } from './request-head.ts';
import type { Services } from './services.ts';
import { shuttingDown } from './shutting-down.ts';
import { Trial } from './trial.ts';
import type { TrialResult } from './trial.ts';

export interface ExchangeOptions {
  readonly services: Services;
  readonly request: IncomingMessage;
  readonly parsed: Request;
  readonly response: ServerResponse;
  /** The client waits for 100 (Continue) before it sends its body (RFC 9110 section 10.1.1). */
  readonly expectsContinue: boolean;
  readonly encrypted: boolean;
}

export class Exchange {
  readonly #options: ExchangeOptions;
  readonly #settings: Settings;
  readonly #journal: Journal;
  readonly #spool: ExchangeSpool;
  /** Resolves when the response is closed: with true when it was sent to the last octet. */
  readonly #closed: Promise<boolean>;
  #delivering = false;
  readonly #receiveClock: ReceiveClock;
  #receiving: Receiving | null = null;
  #trial: Trial | null = null;
  /** The proxy's end does not leave it the time. */
  #stopped: ProxyError | null = null;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    const { response, request, parsed, services } = options;
    this.#settings = services.settings;
    this.#journal = new Journal(parsed, request.socket, services);
    this.#spool = services.spool.ofExchange();
    this.#receiveClock = new ReceiveClock(request.socket, this.#settings.clientReceiveTimeoutMs);
    this.#closed = responseClosed(response, () => this.#trial?.abandon());
  }

  /** Never rejects; afterwards nothing of the exchange is left but its record. */
  async run(): Promise<void> {
    let body: SpooledBody | null = null;
    try {
      const received = this.#receivedAtOnce() ?? (await this.#receive());
      if (received.kind === 'refused') await this.#refuse(received.error, NO_FACTS);
      if (received.kind !== 'body') return;
      body = received.body;
      this.#journal.requestBodyBytes = body.bytes;
      this.#journal.notes?.received();
      await this.#answer(body);
    } catch (cause) {
      await this.#fail(cause);
    } finally {
      body?.[Symbol.dispose]();
      this.#done();
    }
  }

  /** The request cannot be received to its end: malformed, cut short or too slow. False: it is past that point. */
  fault(error: ProxyError): boolean {
    // A body that is whole is answered, whatever stands behind it.
    if (this.#receiving === null || this.#options.request.complete) return false;
    this.#receiving.stop({ kind: 'refused', error });
    return true;
  }

  /** The client moved no octet for as long as it may. */
  clientTimedOut(): void {
    const { clientSendTimeoutMs } = this.#settings;
    if (this.#receiving !== null) {
      const sentence = `No byte of the request body arrived for --client-send-timeout, ${clientSendTimeoutMs} ms.`;
      this.fault(new ProxyError('request_timeout', sentence));
      return;
    }
    const sentence = this.#receiveClock.expired();
    if (sentence !== null) {
      this.#journal.sentence = sentence;
      reset(this.#options.response.socket);
    }
  }

  /** The proxy ends: what is not answered is refused, what streams is broken off, an answer under way goes on. */
  stop(): void {
    if (this.#stopped !== null || this.#delivering) return;
    this.#stopped = shuttingDown(this.#settings);
    if (!this.fault(this.#stopped)) this.#trial?.abandon();
  }

  /** Null: there is a body to wait for. */
  #receivedAtOnce(): Received | null {
    const { parsed, services } = this.#options;
    const error = refusalBeforehand(parsed, services);
    if (error !== null) return { kind: 'refused', error };
    return parsed.framing.kind === 'none' ? NO_BODY : null;
  }

  async #receive(): Promise<Received> {
    const { request, parsed, response, expectsContinue } = this.#options;
    const { clientSendTimeoutMs, maxRequestBodyBytes, memoryPerBodyBytes } = this.#settings;
    const expectedBytes = parsed.framing.kind === 'length' ? parsed.framing.length : null;
    const writer = this.#spool.writer(expectedBytes, memoryPerBodyBytes, maxRequestBodyBytes);
    this.#receiving = receiveBody(request, writer, clientSendTimeoutMs);
    this.#journal.notes?.receiving(request);
    if (expectsContinue && writer.fault === null) response.writeContinue();
    const received = await this.#receiving.result;
    this.#receiving = null;
    request.socket.setTimeout(0);
    return received;
  }

  async #answer(body: SpooledBody): Promise<void> {
    const { parsed, response } = this.#options;
    if (response.destroyed) return;
    if (this.#stopped !== null) return await this.#refuse(this.#stopped, NO_FACTS);
    if (maxForwards(parsed) === 0) return await this.#send(finalRecipientAnswer(parsed), 'delivered');
    this.#trial = this.#newTrial(body);
    const result = await this.#trial.run();
    this.#journal.attempts = this.#trial.attempts;
    this.#journal.waitedMs = this.#trial.waitedMs;
    if (result.kind === 'whole') await this.#sendWhole(result.head, result.body);
    else await this.#conclude(result);
  }

  #newTrial(body: SpooledBody): Trial {
    const { parsed, response, services } = this.#options;
    const bodyBytes = parsed.framing.kind === 'none' ? null : body.bytes;
    return new Trial({
      services,
      response,
      request: parsed,
      head: upstreamHead(parsed, bodyBytes, this.#headContext()),
      body: body.bytes === 0 ? null : body,
      spool: this.#spool,
      receiveClock: this.#receiveClock,
      clock: this.#journal.clock,
      clientHead: (head) => this.#clientHead(head),
      notes: this.#journal.notes,
    });
  }

  #headContext(): HeadContext {
    const { request, services, encrypted } = this.#options;
    return headContext(services, request.socket, encrypted);
  }

  async #sendWhole(head: ResponseHead, body: SpooledBody): Promise<void> {
    const { attempts, waitedMs } = this.#journal;
    const last = attempts.at(-1);
    const { parsed, services } = this.#options;
    try {
      const answer = upstreamAnswer(parsed.method, this.#clientHead(head), body, last?.verdict ?? 'complete');
      const note =
        explainSaved(attempts, waitedMs, this.#settings) ??
        (last === undefined ? null : deliveryNote(last)) ??
        this.#journal.sentence;
      const hint = last === undefined ? null : services.heldBack.hint(parsed.url, last.evidence);
      this.#journal.sentence = note === null || hint === null ? (note ?? hint) : `${note} ${hint}`;
      await this.#send(answer, 'delivered');
    } finally {
      body[Symbol.dispose]();
    }
  }

  #clientHead(received: ResponseHead): ResponseHead {
    const { head, note } = clientHead(received, this.#options.parsed, this.#headContext());
    this.#journal.sentence = note;
    return head;
  }

  async #conclude(result: Exclude<TrialResult, { kind: 'whole' }>): Promise<void> {
    const { attempts, waitedMs } = this.#journal;
    switch (result.kind) {
      case 'relayed':
        return await this.#finishRelay(result.relay);
      case 'waiting-room-full':
        return await this.#refuse(result.error, NO_FACTS);
      case 'failed': {
        const { error, facts } = upstreamFailure(attempts, waitedMs, this.#settings, this.#hints());
        return await this.#refuse(error, facts);
      }
      case 'abandoned':
        if (this.#stopped !== null) await this.#refuse(this.#stopped, NO_FACTS);
        return;
    }
  }

  #hints(): LocalHints {
    const { request, parsed, services } = this.#options;
    return localHints(parsed, request.socket, services.nearby(), this.#journal.id);
  }

  async #finishRelay(relay: Relay): Promise<void> {
    const last = this.#journal.attempts.at(-1);
    const whole = last?.verdict === 'complete' || last?.verdict === 'unverifiable';
    this.#delivering = true;
    this.#journal.status = relay.status;
    if (whole) relay.end();
    else relay.cut();
    const sent = await this.#closed;
    this.#journal.responseBytes = relay.bytes;
    if (whole) this.#journal.outcome = sent ? 'relayed' : 'abandoned';
    if (whole || (last?.verdict === 'abandoned' && this.#stopped === null)) return;
    this.#journal.outcome = 'cut';
    this.#journal.blame(
      this.#stopped ?? upstreamFailure(this.#journal.attempts, this.#journal.waitedMs, this.#settings).error,
    );
  }

  async #refuse(error: ProxyError, facts: RefusalFacts): Promise<void> {
    const { response, request } = this.#options;
    this.#journal.blame(error);
    if (response.headersSent || response.destroyed) {
      reset(response.socket);
      return;
    }
    // A full request would stop the socket from being read, and only the request can start it again.
    request.resume();
    // After malformed framing nobody knows where the next request begins (RFC 9112 section 6.3).
    if (error.source === 'client') response.shouldKeepAlive = false;
    await this.#send(refusalAnswer(this.#options.parsed, error, facts, this.#journal.id), 'refused');
  }

  async #send(answer: Answer, outcome: Outcome): Promise<void> {
    const { response, request, services } = this.#options;
    this.#delivering = true;
    this.#journal.status = answer.status;
    const connection = connectionFields(response, this.#settings.keepAliveTimeoutMs, services.closing);
    this.#journal.notes?.delivering(response, answer, connection);
    if (outcome === 'refused') this.#journal.notes?.answering(answer);
    const delivering = deliver(response, answer, connection);
    // What the kernel has taken at once, nobody has to wait for.
    if (delivering !== null || request.socket.writableLength > 0) this.#receiveClock.start();
    if (delivering !== null) await delivering;
    if (!(await this.#closed)) return;
    this.#journal.outcome = outcome;
    this.#journal.responseBytes = answer.body?.bytes ?? 0;
  }

  /** An error of ours: the exchange is lost, the process is not. */
  async #fail(cause: unknown): Promise<void> {
    const why = cause instanceof Error ? cause.message : String(cause);
    try {
      await this.#refuse(
        new ProxyError('internal_error', `lastbyte failed at this exchange: ${why}`, { cause }),
        NO_FACTS,
      );
    } catch {
      reset(this.#options.response.socket);
    }
  }

  #done(): void {
    this.#options.services.record(this.#journal.close());
  }
}

const NO_BODY: Received = { kind: 'body', body: bodyInMemory([], 0, () => undefined) };

/** What is worth saying about a response that was delivered; null: nothing. */
function deliveryNote({ verdict, evidence }: AttemptRecord): string | null {
  if (verdict === 'unverifiable') return explainUnverifiable(evidence);
  return explainSurplus(evidence) ?? explainTrailers(evidence);
}

/** With Max-Forwards 0 we are the last recipient (RFC 9110 section 7.6.2). A TRACE could echo secrets: not from us. */
function finalRecipientAnswer(request: Request): Answer {
  const [status, reason] = request.method === 'OPTIONS' ? [200, 'OK'] : [405, 'Method Not Allowed'];
  return { status, reason, fields: ['Allow', ALLOWED_METHODS, 'Content-Length', '0'], body: null };
}
