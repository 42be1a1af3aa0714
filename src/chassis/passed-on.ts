/**
 * The life of an exchange that http-proxy passes on: check → connect or wait → pass on → judge → deliver | refuse | cut →
 * done. What is passed on, and how the client is written to, is the business of the two kinds: streams and upgrades.
 */

import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { reset } from '../client/linger.ts';
import { localHints } from '../client/peer.ts';
import { ReceiveClock } from '../client/send-progress.ts';
import { ProxyError } from '../errors.ts';
import { refusalBeforehand } from '../exchange/check.ts';
import { clientHead } from '../exchange/client-head.ts';
import { Journal } from '../exchange/journal.ts';
import { reach } from '../exchange/reach.ts';
import { NO_FACTS } from '../exchange/refuse.ts';
import type { RefusalFacts } from '../exchange/refuse.ts';
import { headContext } from '../exchange/request-head.ts';
import type { HeadContext } from '../exchange/request-head.ts';
import type { Services } from '../exchange/services.ts';
import { shuttingDown } from '../exchange/shutting-down.ts';
import { upstreamFailure } from '../exchange/upstream-failure.ts';
import type { UpstreamFailure } from '../exchange/upstream-failure.ts';
import type { Request } from '../http/request.ts';
import type { ResponseHead } from '../http/response-head.ts';
import type { AttemptNotes } from '../upstream/attempt-notes.ts';
import type { UpstreamConnection } from '../upstream/connection.ts';
import type { Evidence } from '../upstream/evidence.ts';
import { judge } from '../upstream/verdict.ts';
import type { VerdictKind } from '../upstream/verdict.ts';
import type { Chassis } from './chassis.ts';

export interface PassedOnOptions {
  readonly chassis: Chassis;
  readonly services: Services;
  readonly request: IncomingMessage;
  readonly parsed: Request;
  /** The client's. */
  readonly socket: Socket;
  readonly encrypted: boolean;
}

export abstract class PassedOnExchange<Options extends PassedOnOptions> {
  protected readonly options: Options;
  protected readonly journal: Journal;
  protected readonly receiveClock: ReceiveClock;
  /** Aborted when there is no sense in going on. */
  readonly #over = new AbortController();
  /** What was wrong with the request while it was under way, or that the proxy ends. */
  #fault: ProxyError | null = null;

  constructor(options: Options) {
    const { parsed, services, socket } = options;
    this.options = options;
    this.journal = new Journal(parsed, socket, services);
    this.receiveClock = new ReceiveClock(socket, services.settings.clientReceiveTimeoutMs);
  }

  /** Never rejects; afterwards nothing of the exchange is left but its record. */
  async run(): Promise<void> {
    const { parsed, services } = this.options;
    try {
      const error = refusalBeforehand(parsed, services);
      if (error === null) await this.#passOn();
      else await this.#refuse(error, NO_FACTS);
    } catch (cause) {
      await this.#fail(cause);
    } finally {
      this.close();
      services.record(this.journal.close());
    }
  }

  /** The proxy ends: what waits is refused, what streams or is joined is broken off. */
  stop(): void {
    this.giveUp(shuttingDown(this.options.services.settings));
  }

  /** The client moved no byte for as long as it may. */
  clientTimedOut(): void {
    const sentence = this.receiveClock.expired();
    if (sentence === null) return;
    this.journal.sentence = sentence;
    reset(this.options.socket);
  }

  /** The request is going to be passed on. */
  protected abstract begin(): void;

  /** Resolves when the upstream's side is over; with null when its connection was joined with the client's. */
  protected abstract exchange(
    connection: UpstreamConnection,
    over: AbortSignal,
    notes: AttemptNotes | null,
  ): Promise<Evidence | null>;

  /** Whether a response is under way to the client, so that it can only be cut. */
  protected abstract readonly begun: boolean;

  /** The response is whole: what is not with the client yet goes out. */
  protected abstract deliver(verdict: VerdictKind): Promise<void>;

  /** Sends a response of our own. Resolves with whether the client had all of it. */
  protected abstract sendRefusal(error: ProxyError, facts: RefusalFacts): Promise<boolean>;

  /** Breaks off the response that is under way. */
  protected abstract cut(): Promise<void>;

  /** The exchange is over: frees what it holds. */
  protected abstract close(): void;

  /** There is no sense in going on: the client has left. */
  protected abandon(): void {
    this.#over.abort();
  }

  /** There is no going on, and the client is told why. */
  protected giveUp(error: ProxyError): void {
    this.#fault ??= error;
    this.#over.abort();
  }

  /** Whether the client gets the response. */
  protected delivers(verdict: VerdictKind): boolean {
    return verdict === 'complete' || verdict === 'unverifiable';
  }

  /** The upstream's head as the client gets it. */
  protected clientHead(received: ResponseHead): ResponseHead {
    const { head, note } = clientHead(received, this.options.parsed, this.headContext());
    this.journal.sentence = note;
    return head;
  }

  protected headContext(): HeadContext {
    const { services, socket, encrypted } = this.options;
    return headContext(services, socket, encrypted);
  }

  async #passOn(): Promise<void> {
    const { services } = this.options;
    this.begin();
    const reached = await reach(services, this.#over.signal);
    if (reached.kind === 'waiting-room-full') return await this.#refuse(reached.error, NO_FACTS);
    this.journal.waitedMs = reached.waitedMs;
    const { clock, notes: watched } = this.journal;
    const startedMs = clock();
    const notes = watched?.attempt() ?? null;
    const evidence =
      reached.kind === 'failed'
        ? reached.evidence
        : await this.exchange(reached.connection, this.#over.signal, notes);
    if (evidence === null) return this.#blameForBreak();
    const verdict = judge(evidence);
    this.journal.attempts = [{ startedMs, endedMs: clock(), verdict, evidence, reason: 'first', notes }];
    if (this.delivers(verdict)) await this.deliver(verdict);
    else if (verdict !== 'abandoned' || this.#fault !== null) await this.#conclude();
  }

  /** The response is not whole, and the client is still there. */
  async #conclude(): Promise<void> {
    const { error, facts } = this.#fault === null ? this.#failure() : { error: this.#fault, facts: NO_FACTS };
    if (!this.begun) return await this.#refuse(error, facts);
    this.journal.outcome = 'cut';
    this.journal.blame(error);
    await this.cut();
  }

  #failure(): UpstreamFailure {
    const { parsed, services, socket } = this.options;
    const { attempts, waitedMs, id } = this.journal;
    const hints = localHints(parsed, socket, services.nearby(), id);
    return upstreamFailure(attempts, waitedMs, services.settings, hints);
  }

  #blameForBreak(): void {
    if (this.#fault === null) return;
    this.journal.outcome = 'cut';
    this.journal.blame(this.#fault);
  }

  async #refuse(error: ProxyError, facts: RefusalFacts): Promise<void> {
    this.journal.blame(error);
    if (!this.options.socket.writable) return;
    this.journal.status = error.status;
    if (await this.sendRefusal(error, facts)) this.journal.outcome = 'refused';
  }

  /** An error of our own: the exchange is lost, the process is not. */
  async #fail(cause: unknown): Promise<void> {
    const why = cause instanceof Error ? cause.message : String(cause);
    const error = new ProxyError('internal_error', `lastbyte failed at this exchange: ${why}`, { cause });
    try {
      if (!this.begun) return await this.#refuse(error, NO_FACTS);
      this.journal.blame(error);
      reset(this.options.socket);
    } catch {
      reset(this.options.socket);
    }
  }
}
