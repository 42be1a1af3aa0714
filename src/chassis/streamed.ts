/** An exchange on a path that the user exempted from buffering: passed on and relayed as it comes. */

import type { IncomingMessage, InformationEvent, ServerResponse } from 'node:http';
import { ProxyError } from '../errors.ts';
import { announcedLength, isFramed, refusalBeforehand } from '../exchange/check.ts';
import { clientHead } from '../exchange/client-head.ts';
import { connectionFields, deliver, responseClosed } from '../exchange/deliver.ts';
import { upstreamFailure } from '../exchange/upstream-failure.ts';
import { forwardInterim } from '../exchange/interim.ts';
import { Journal } from '../exchange/journal.ts';
import { localHints } from '../exchange/local-client.ts';
import { reach } from '../exchange/reach.ts';
import { NO_FACTS, refusalAnswer } from '../exchange/refuse.ts';
import type { RefusalFacts } from '../exchange/refuse.ts';
import { Relay, whenClientLeaves } from '../exchange/relay.ts';
import { reset } from '../exchange/reset.ts';
import { forwardedRequest } from '../exchange/request-head.ts';
import { shuttingDown } from '../exchange/shutting-down.ts';
import type { ForwardedRequest } from '../exchange/request-head.ts';
import type { Services } from '../exchange/services.ts';
import type { UpstreamConnection } from '../upstream/connection.ts';
import type { Evidence } from '../upstream/evidence.ts';
import type { AttemptNotes } from '../upstream/attempt-notes.ts';
import { judge } from '../upstream/verdict.ts';
import type { VerdictKind } from '../upstream/verdict.ts';
import type { Chassis } from './chassis.ts';
import { observeResponse, strictHead } from './observed-response.ts';
import type { ResponseObservation } from './observed-response.ts';

export interface StreamedOptions {
  readonly chassis: Chassis;
  readonly services: Services;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The client waits for 100 (Continue) before it sends its body (RFC 9110 section 10.1.1). */
  readonly expectsContinue: boolean;
  readonly encrypted: boolean;
}

export class StreamedExchange {
  readonly #options: StreamedOptions;
  readonly #journal: Journal;
  /** Resolves when the response is closed: with true when it was sent to the last octet. */
  readonly #closed: Promise<boolean>;
  #observation: ResponseObservation | null = null;
  #relay: Relay | null = null;
  #notes: AttemptNotes | null = null;
  /** Aborted when there is no sense in going on. */
  readonly #over = new AbortController();
  /** What was wrong with the request while it was under way, or that the proxy ends. */
  #fault: ProxyError | null = null;

  constructor(options: StreamedOptions) {
    const { request, response, services } = options;
    this.#options = options;
    this.#journal = new Journal(request, services);
    this.#closed = responseClosed(response, () => this.#abandon());
  }

  /** Never rejects. */
  async run(): Promise<void> {
    const { request, response, services } = this.#options;
    try {
      const error = refusalBeforehand(request, services);
      if (error === null) await this.#passOn();
      else await this.#refuse(error, NO_FACTS);
    } catch {
      reset(response.socket);
    } finally {
      services.record(this.#journal.close());
    }
  }

  /** The request cannot be received to its end. False: it has been already. */
  fault(error: ProxyError): boolean {
    if (this.#options.request.complete) return false;
    this.#fault = error;
    this.#abandon();
    return true;
  }

  /** A stream may be silent for as long as it likes; an upload that nothing answers yet may not. */
  clientTimedOut(): void {
    const { request, services } = this.#options;
    const { clientSendTimeoutMs } = services.settings;
    if (request.complete || this.#relay !== null) return;
    if (!this.#awaitsClient()) {
      request.socket.setTimeout(clientSendTimeoutMs);
      return;
    }
    const sentence = `No byte of the request body arrived for --client-send-timeout, ${clientSendTimeoutMs} ms.`;
    this.fault(new ProxyError('request_timeout', sentence));
  }

  /** Its request is not over and is being read. One that is paused waits for the upstream to read. */
  #awaitsClient(): boolean {
    const { request } = this.#options;
    return !request.complete && request.readableFlowing === true;
  }

  /** The proxy ends: what waits is refused, what streams is broken off. */
  stop(): void {
    this.#fault ??= shuttingDown(this.#options.services.settings);
    this.#abandon();
  }

  #abandon(): void {
    this.#over.abort();
    this.#observation?.abandon();
  }

  async #passOn(): Promise<void> {
    const { services, response, expectsContinue } = this.#options;
    if (expectsContinue) response.writeContinue();
    const reached = await reach(services, this.#over.signal);
    this.#journal.waitedMs = 'waitedMs' in reached ? reached.waitedMs : 0;
    if (reached.kind === 'waiting-room-full') return await this.#refuse(reached.error, NO_FACTS);
    const { clock, notes } = this.#journal;
    const startedMs = clock();
    this.#notes = notes?.attempt() ?? null;
    const evidence = reached.kind === 'failed' ? reached.evidence : await this.#exchange(reached.connection);
    const verdict = judge(evidence);
    this.#journal.attempts = [
      { startedMs, endedMs: clock(), verdict, evidence, reason: 'first', notes: this.#notes },
    ];
    await this.#conclude(verdict);
  }

  /** Resolves when the upstream's side is over, or there is no sense in going on. */
  async #exchange(connection: UpstreamConnection): Promise<Evidence> {
    const { chassis, services, request, response, encrypted } = this.#options;
    const { firstByteTimeoutMs, clientSendTimeoutMs } = services.settings;
    const observation = observeResponse(request.method ?? '', connection, firstByteTimeoutMs, () =>
      this.#awaitsClient(),
    );
    if (!request.complete) request.socket.setTimeout(clientSendTimeoutMs);
    this.#observation = observation;
    if (this.#over.signal.aborted) observation.abandon();
    let stopWatching = (): void => undefined;
    chassis.stream(request, response, this.#forwarded(), connection, {
      sending: (upstream) => upstream.on('information', (interim) => forwardIfSound(response, interim)),
      failed: (error) => observation.failed(error),
      responded: (incoming) => {
        observation.responded(incoming, (received, framing) => {
          const fields = this.#connectionFields();
          const { head, note } = clientHead(received, request, services, encrypted);
          this.#journal.sentence = note;
          this.#journal.notes?.delivering(response, head, fields);
          this.#relay = new Relay(response, head, framing, fields);
          stopWatching = whenClientLeaves(response, observation.abandon);
          return this.#notes?.keeping(this.#relay) ?? this.#relay;
        });
      },
    });
    const evidence = await observation.evidence;
    stopWatching();
    request.socket.setTimeout(0);
    connection.destroy();
    return evidence;
  }

  async #conclude(verdict: VerdictKind): Promise<void> {
    const { request, services } = this.#options;
    const { settings } = services;
    const hints = localHints(request, services.nearby(), this.#journal.id);
    const failure = upstreamFailure(this.#journal.attempts, this.#journal.waitedMs, settings, hints);
    const { error, facts } = this.#fault === null ? failure : { error: this.#fault, facts: NO_FACTS };
    const relay = this.#relay;
    if (verdict === 'abandoned' && this.#fault === null) return;
    if (relay === null) return await this.#refuse(error, facts);
    this.#journal.status = relay.status;
    const whole = verdict === 'complete' || verdict === 'unverifiable';
    if (whole) relay.end();
    else relay.cut();
    const sent = await this.#closed;
    this.#journal.responseBytes = relay.bytes;
    if (whole) this.#journal.outcome = sent ? 'relayed' : 'abandoned';
    else this.#journal.outcome = 'cut';
    if (!whole) this.#journal.blame(error);
  }

  async #refuse(error: ProxyError, facts: RefusalFacts): Promise<void> {
    const { request, response } = this.#options;
    this.#journal.blame(error);
    this.#journal.status = error.status;
    // A full request would stop the socket from being read, and only the request can start it again.
    request.unpipe();
    request.resume();
    if (error.source === 'client') response.shouldKeepAlive = false;
    const answer = refusalAnswer(response, error, facts, this.#journal.id);
    const fields = this.#connectionFields();
    this.#journal.notes?.delivering(response, answer, fields);
    this.#journal.notes?.answering(answer);
    await deliver(response, answer, fields);
    if (await this.#closed) this.#journal.outcome = 'refused';
  }

  #forwarded(): ForwardedRequest {
    const { services, request, encrypted } = this.#options;
    const { settings, via } = services;
    const clientAddress = services.addressOf(request.socket);
    const trusted = services.trusts(clientAddress);
    const length = isFramed(request) ? announcedLength(request) : null;
    const { target, fields } = forwardedRequest(request, length, {
      settings,
      via,
      clientAddress,
      trusted,
      encrypted,
    });
    const coding = isFramed(request) && length === null ? ['Transfer-Encoding', 'chunked'] : [];
    return { target, fields: [...fields, ...coding] };
  }

  #connectionFields(): readonly string[] {
    const { response, services } = this.#options;
    return connectionFields(response, services.settings.keepAliveTimeoutMs, services.closing);
  }
}

function forwardIfSound(response: ServerResponse, interim: InformationEvent): void {
  const read = strictHead(interim);
  if (read.kind === 'head') forwardInterim(response, read.head);
}
