/** An exchange on a path that the user exempted from buffering: passed on and relayed as it comes. */

import type { ServerResponse } from 'node:http';
import { forwardInterim } from '../client/response-writer.ts';
import { ProxyError } from '../errors.ts';
import { connectionFields, deliver, responseClosed } from '../exchange/deliver.ts';
import { refusalAnswer } from '../exchange/refuse.ts';
import type { RefusalFacts } from '../exchange/refuse.ts';
import { Relay, whenClientLeaves } from '../exchange/relay.ts';
import { forwardedRequest } from '../exchange/request-head.ts';
import type { ForwardedRequest } from '../exchange/request-head.ts';
import type { Framing } from '../http/framing.ts';
import type { ResponseHead } from '../http/response-head.ts';
import type { AttemptNotes } from '../upstream/attempt-notes.ts';
import type { UpstreamConnection } from '../upstream/connection.ts';
import type { Evidence } from '../upstream/evidence.ts';
import { ResponseObservation } from './observed-response.ts';
import { PassedOnExchange } from './passed-on.ts';
import type { PassedOnOptions } from './passed-on.ts';

export interface StreamedOptions extends PassedOnOptions {
  readonly response: ServerResponse;
  /** The client waits for 100 (Continue) before it sends its body (RFC 9110 section 10.1.1). */
  readonly expectsContinue: boolean;
}

export class StreamedExchange extends PassedOnExchange<StreamedOptions> {
  /** Resolves when the response is closed: with true when it was sent to the last byte. */
  readonly #closed: Promise<boolean>;
  #relay: Relay | null = null;
  #stopWatching: (() => void) | null = null;

  constructor(options: StreamedOptions) {
    super(options);
    this.#closed = responseClosed(options.response, () => this.abandon());
  }

  /** The request cannot be received to its end. False: it has been already. */
  fault(error: ProxyError): boolean {
    if (this.options.request.complete) return false;
    this.giveUp(error);
    return true;
  }

  /** A stream may be silent for as long as it likes; an upload that nothing answers yet may not. */
  override clientTimedOut(): void {
    const { request, services } = this.options;
    const { clientSendTimeoutMs } = services.settings;
    if (request.complete || this.#relay !== null) return super.clientTimedOut();
    if (!this.#awaitsClient()) {
      request.socket.setTimeout(clientSendTimeoutMs);
      return;
    }
    const sentence = `No byte of the request body arrived for --client-send-timeout, ${clientSendTimeoutMs} ms.`;
    this.fault(new ProxyError('request_timeout', sentence));
  }

  protected override get begun(): boolean {
    return this.#relay !== null;
  }

  protected override begin(): void {
    const { response, expectsContinue } = this.options;
    if (expectsContinue) response.writeContinue();
  }

  protected override async exchange(
    connection: UpstreamConnection,
    over: AbortSignal,
    notes: AttemptNotes | null,
  ): Promise<Evidence> {
    const { chassis, services, request, parsed, response } = this.options;
    const observation = new ResponseObservation({
      method: parsed.method,
      connection,
      settings: services.settings,
      awaitsClient: () => this.#awaitsClient(),
      interim: (head) => forwardInterim(response, parsed, head),
      accept: (head, framing) => this.#accept(head, framing, notes),
    });
    over.addEventListener('abort', observation.abandon);
    if (over.aborted) observation.abandon();
    if (!request.complete) request.socket.setTimeout(services.settings.clientSendTimeoutMs);
    chassis.stream(request, response, this.#forwarded(), connection, {
      informed: (interim) => observation.informed(interim),
      responded: (incoming) => observation.responded(incoming),
      switched: () => observation.switched(),
      failed: (error) => observation.failed(error),
    });
    const evidence = await observation.evidence;
    this.#stopWatching?.();
    request.socket.setTimeout(0);
    connection.destroy();
    return evidence;
  }

  protected override async deliver(): Promise<void> {
    this.#relay?.end();
    const sent = await this.#closed;
    this.journal.outcome = sent ? 'relayed' : 'abandoned';
  }

  protected override async cut(): Promise<void> {
    this.#relay?.cut();
    await this.#closed;
  }

  protected override async sendRefusal(error: ProxyError, facts: RefusalFacts): Promise<boolean> {
    const { request, parsed, response } = this.options;
    // A full request would stop the socket from being read, and only the request can start it again.
    request.unpipe();
    request.resume();
    if (error.source === 'client') response.shouldKeepAlive = false;
    const answer = refusalAnswer(parsed, error, facts, this.journal.id);
    const fields = this.#connectionFields();
    this.journal.notes?.delivering(response, answer, fields);
    this.journal.notes?.answering(answer);
    this.receiveClock.start();
    await deliver(response, answer, fields);
    return await this.#closed;
  }

  protected override close(): void {
    this.#stopWatching?.();
    if (this.#relay !== null) this.journal.responseBytes = this.#relay.bytes;
  }

  /** Its request is not over and is being read. One that is paused waits for the upstream to read. */
  #awaitsClient(): boolean {
    const { request } = this.options;
    return !request.complete && request.readableFlowing === true;
  }

  #accept(
    received: ResponseHead,
    framing: Framing,
    notes: AttemptNotes | null,
  ): ReturnType<ConstructorParameters<typeof ResponseObservation>[0]['accept']> {
    const { parsed, response } = this.options;
    const fields = this.#connectionFields();
    const head = this.clientHead(received);
    this.journal.notes?.delivering(response, head, fields);
    this.journal.status = head.status;
    this.#relay = new Relay(response, parsed, head, framing, fields, this.receiveClock);
    this.#stopWatching = whenClientLeaves(response, () => this.abandon());
    return { sink: notes?.keeping(this.#relay) ?? this.#relay, streams: true };
  }

  #forwarded(): ForwardedRequest {
    const { parsed } = this.options;
    const { framing } = parsed;
    const length = framing.kind === 'length' ? framing.length : null;
    const { target, fields } = forwardedRequest(parsed, length, this.headContext());
    const coding = framing.kind === 'chunked' ? ['Transfer-Encoding', 'chunked'] : [];
    return { target, fields: [...fields, ...coding] };
  }

  #connectionFields(): readonly string[] {
    const { response, services } = this.options;
    return connectionFields(response, services.settings.keepAliveTimeoutMs, services.closing);
  }
}
