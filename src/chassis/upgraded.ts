/** An upgrade: passed on, and when the upstream switches protocols both sockets are joined, half-closes included. */

import type { Socket } from 'node:net';
import { reset } from '../client/linger.ts';
import { writeInterim, deliverRaw } from '../client/response-writer.ts';
import type { ProxyError } from '../errors.ts';
import { upstreamAnswer } from '../exchange/deliver.ts';
import { refusalAnswer } from '../exchange/refuse.ts';
import type { RefusalFacts } from '../exchange/refuse.ts';
import { forwardedRequest } from '../exchange/request-head.ts';
import type { ForwardedRequest } from '../exchange/request-head.ts';
import type { Framing } from '../http/framing.ts';
import type { ResponseHead } from '../http/response-head.ts';
import { offeredProtocols } from '../http/upgrade.ts';
import type { SpoolWriter } from '../spool/spool-writer.ts';
import type { SpooledBody } from '../spool/spooled-body.ts';
import type { AttemptNotes } from '../upstream/attempt-notes.ts';
import type { UpstreamConnection } from '../upstream/connection.ts';
import type { Evidence } from '../upstream/evidence.ts';
import { sinkFault } from '../upstream/evidence.ts';
import { judge } from '../upstream/verdict.ts';
import type { VerdictKind } from '../upstream/verdict.ts';
import { ResponseObservation } from './observed-response.ts';
import { PassedOnExchange } from './passed-on.ts';
import type { PassedOnOptions } from './passed-on.ts';

export interface UpgradeOptions extends PassedOnOptions {
  /** What the client sent after the request's head. */
  readonly head: Buffer;
  /** Closes the client's socket when the last byte is written. */
  readonly linger: () => void;
}

/** A response instead of the switch. */
interface Refusal {
  readonly head: ResponseHead;
  readonly writer: SpoolWriter;
}

export class UpgradedExchange extends PassedOnExchange<UpgradeOptions> {
  #refusal: Refusal | null = null;
  /** Of the refusal, whole. */
  #body: SpooledBody | null = null;

  readonly #onClose = (): void => this.abandon();
  readonly #onTimeout = (): void => this.clientTimedOut();

  constructor(options: UpgradeOptions) {
    super(options);
    // Node's http.Server has let go of the socket, its clock included.
    options.socket.on('close', this.#onClose).on('timeout', this.#onTimeout);
  }

  /** Its request has been received. */
  fault(): boolean {
    return false;
  }

  /** Nothing is under way before the whole of it is here. */
  protected override readonly begun = false;

  protected override begin(): void {
    // Nothing to be said yet.
  }

  protected override async exchange(
    connection: UpstreamConnection,
    over: AbortSignal,
    notes: AttemptNotes | null,
  ): Promise<Evidence | null> {
    const { chassis, services, request, parsed, socket, head } = this.options;
    const observation = new ResponseObservation({
      method: parsed.method,
      connection,
      settings: services.settings,
      awaitsClient: () => false,
      interim: (interim) => writeInterim(socket, parsed, interim),
      accept: (final, framing) => this.#accept(final, framing, notes),
    });
    over.addEventListener('abort', observation.abandon);
    if (over.aborted) observation.abandon();
    const joined = new Promise<null>((resolve) => {
      chassis.upgrade(request, socket, this.#forwarded(), connection, {
        informed: (interim) => observation.informed(interim),
        responded: (incoming) => observation.responded(incoming),
        failed: (error) => observation.failed(error),
        switched: () => {
          over.removeEventListener('abort', observation.abandon);
          this.journal.status = 101;
          this.journal.outcome = 'upgraded';
          // http-proxy would put it back into the client's socket, which may have ended.
          if (head.length > 0) connection.socket.write(head);
          join(socket, connection, over, () => resolve(null));
        },
      });
    });
    const evidence = await Promise.race([joined, observation.evidence]);
    if (evidence === null) return null;
    connection.destroy();
    return this.delivers(judge(evidence)) ? await this.#keep(evidence) : evidence;
  }

  protected override delivers(verdict: VerdictKind): boolean {
    const { unverifiable } = this.options.services.settings;
    return verdict === 'complete' || (verdict === 'unverifiable' && unverifiable === 'deliver');
  }

  /** The upstream did not switch: its response goes to the client whole, as any other. */
  protected override async deliver(verdict: VerdictKind): Promise<void> {
    const { parsed, socket, linger } = this.options;
    if (this.#refusal === null || this.#body === null) throw new Error('there is no response');
    const { head } = this.#refusal;
    this.journal.status = head.status;
    this.receiveClock.start();
    const answer = upstreamAnswer(parsed.method, this.clientHead(head), this.#body, verdict);
    if (!(await deliverRaw(socket, answer))) return;
    this.journal.outcome = 'delivered';
    this.journal.responseBytes = this.#body.bytes;
    linger();
  }

  protected override async sendRefusal(error: ProxyError, facts: RefusalFacts): Promise<boolean> {
    const { parsed, socket, linger } = this.options;
    this.receiveClock.start();
    const answer = refusalAnswer(parsed, error, facts, this.journal.id);
    const sent = await deliverRaw(socket, answer);
    if (sent) linger();
    return sent;
  }

  protected override async cut(): Promise<void> {
    reset(this.options.socket);
  }

  protected override close(): void {
    this.options.socket.off('close', this.#onClose).off('timeout', this.#onTimeout);
    this.#body?.[Symbol.dispose]();
    if (this.#body === null) this.#refusal?.writer[Symbol.dispose]();
  }

  #accept(
    head: ResponseHead,
    framing: Framing,
    notes: AttemptNotes | null,
  ): ReturnType<ConstructorParameters<typeof ResponseObservation>[0]['accept']> {
    const { spool, settings } = this.options.services;
    const expectedBytes = framing.kind === 'length' ? framing.length : null;
    const writer = spool
      .ofExchange()
      .writer(expectedBytes, settings.memoryPerBodyBytes, settings.maxResponseBodyBytes);
    this.#refusal = { head, writer };
    return { sink: notes?.keeping(writer) ?? writer, streams: false };
  }

  /** Returns the evidence, with what was wrong if the response could not be kept. */
  async #keep(evidence: Evidence): Promise<Evidence> {
    if (this.#refusal === null) return evidence;
    const body = await this.#refusal.writer.finish();
    if ('kind' in body) return { ...evidence, ending: sinkFault(body) };
    this.#body = body;
    return evidence;
  }

  #forwarded(): ForwardedRequest {
    const { parsed } = this.options;
    const { target, fields } = forwardedRequest(parsed, null, this.headContext());
    const protocols = offeredProtocols(parsed);
    const switching = fields.map((value, index) => (isConnectionValue(fields, index) ? 'Upgrade' : value));
    return { target, fields: [...switching, 'Upgrade', protocols.join(', ')] };
  }
}

/** http-proxy pipes both ways; what it does not do is to pass a reset on as a reset. */
function join(socket: Socket, connection: UpstreamConnection, over: AbortSignal, closed: () => void): void {
  const upstream = connection.socket;
  upstream.on('error', () => reset(socket));
  upstream.on('end', () => {
    if (connection.endedBy === 'rst') reset(socket);
  });
  upstream.on('close', () => {
    if (connection.endedBy !== 'fin') reset(socket);
  });
  socket.on('error', () => reset(upstream));
  socket.on('close', () => {
    upstream.destroy();
    closed();
  });
  over.addEventListener('abort', () => {
    if (socket.destroyed) return;
    reset(socket);
    reset(upstream);
  });
}

function isConnectionValue(fields: readonly string[], index: number): boolean {
  return index % 2 === 1 && fields[index - 1]?.toLowerCase() === 'connection';
}
