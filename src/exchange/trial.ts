/** Gets a response from the upstream: tries, judges, decides, and tries again where that may help. */

import type { ServerResponse } from 'node:http';
import { ProxyError } from '../errors.ts';
import { logsConnectionIn } from '../http/connection-login.ts';
import type { Framing } from '../http/framing.ts';
import { isSafe, mayRetry } from '../http/idempotency.ts';
import type { Request } from '../http/request.ts';
import type { ResponseHead } from '../http/response-head.ts';
import { mustStream } from '../http/streaming.ts';
import type { SpoolWriter } from '../spool/spool-writer.ts';
import type { SpooledBody } from '../spool/spooled-body.ts';
import type { AttemptNotes } from '../upstream/attempt-notes.ts';
import { Attempt } from '../upstream/attempt.ts';
import type { Hold } from '../upstream/request-sender.ts';
import type { Evidence } from '../upstream/evidence.ts';
import { connectLimitMs, decide } from '../upstream/retry.ts';
import { judge } from '../upstream/verdict.ts';
import { AT_ONCE } from '../upstream/routes.ts';
import type { VerdictKind } from '../upstream/verdict.ts';
import { connectionFields } from './deliver.ts';
import type { AttemptRecord } from './events.ts';
import { forwardInterim } from './interim.ts';
import type { Notes } from './notes.ts';
import type { ReceiveClock } from './receive-clock.ts';
import { Relay, whenClientLeaves } from './relay.ts';
import type { Services } from './services.ts';

export interface TrialOptions {
  readonly services: Services;
  readonly response: ServerResponse;
  readonly request: Request;
  readonly head: string;
  readonly body: SpooledBody | null;
  /** Of the client, for a response that is relayed. */
  readonly receiveClock: ReceiveClock;
  /** Ms since the exchange began. */
  readonly clock: () => number;
  /** The head as the client gets it. */
  readonly clientHead: (head: ResponseHead) => ResponseHead;
  /** Null: nobody watches. */
  readonly notes: Notes | null;
}

export type TrialResult =
  | { readonly kind: 'whole'; readonly head: ResponseHead; readonly body: SpooledBody }
  | { readonly kind: 'relayed'; readonly relay: Relay }
  | { readonly kind: 'failed' }
  | { readonly kind: 'waiting-room-full'; readonly error: ProxyError }
  | { readonly kind: 'abandoned' };

export function waitingRoomFull(maxWaiting: number): Extract<TrialResult, { kind: 'waiting-room-full' }> {
  const sentence = `${maxWaiting} requests already wait for the upstream, the most that --max-waiting allows.`;
  return { kind: 'waiting-room-full', error: new ProxyError('waiting_room_full', sentence) };
}

export class Trial {
  readonly attempts: AttemptRecord[] = [];
  waitedMs = 0;
  readonly #options: TrialOptions;
  readonly #repeatable: boolean;
  readonly #logsIn: boolean;
  #attempt: Attempt | null = null;
  #writer: SpoolWriter | null = null;
  #relay: Relay | null = null;
  #stopWatching: (() => void) | null = null;
  #abandoned = false;
  #wake: (() => void) | null = null;
  #waits = 0;
  #waitStartedMs = 0;
  #retriesMade = 0;
  #forgiven = false;
  /** As it was known when the last attempt began. */
  #saysContinue = false;

  constructor(options: TrialOptions) {
    this.#options = options;
    const { services, request } = options;
    this.#repeatable = mayRetry(request.method, request.fields, services.settings.retryMethods);
    this.#logsIn = logsConnectionIn(request.fields);
  }

  /** Stops at once: the client has left. */
  abandon(): void {
    this.#abandoned = true;
    this.#attempt?.abandon();
    this.#wake?.();
  }

  async run(): Promise<TrialResult> {
    const { clock, services, notes: watched } = this.#options;
    let reason: AttemptRecord['reason'] = 'first';
    try {
      for (;;) {
        const startedMs = clock();
        const hold = this.#hold();
        const notes = watched?.attempt() ?? null;
        this.#attempt = this.#newAttempt(reason, hold, notes);
        const evidence = await this.#attempt.run();
        this.#attempt = null;
        const verdict = judge(evidence);
        this.#learn(hold, verdict, evidence);
        if (this.#waits === 0) this.#waitStartedMs = startedMs;
        this.attempts.push({ startedMs, endedMs: clock(), verdict, evidence, reason, notes });
        if (this.#relay !== null) return { kind: 'relayed', relay: this.#relay };
        const decision = this.#decide(verdict, evidence);
        switch (decision.kind) {
          case 'deliver':
            if (verdict === 'unverifiable' && services.settings.unverifiable === 'refuse')
              return { kind: 'failed' };
            return this.#wholeAtOnce(evidence) ?? (await this.#whole(evidence));
          case 'abandon':
            return { kind: 'abandoned' };
          case 'refuse':
            return { kind: 'failed' };
          case 'retry':
            reason = decision.reason;
            if (reason === 'retry') this.#retriesMade += 1;
            else this.#forgiven = true;
            await this.#pause(decision.delayMs);
            break;
          case 'wait':
            reason = 'waited';
            if (!this.#enterWaitingRoom()) return waitingRoomFull(services.settings.maxWaiting);
            watched?.waitBegins();
            await this.#pause(decision.delayMs);
            watched?.waitEnds();
            this.waitedMs = clock() - this.#waitStartedMs;
            break;
        }
        if (this.#abandoned) return { kind: 'abandoned' };
      }
    } finally {
      if (this.#waits > 0) this.#options.services.waitingRoom.leave();
      this.#writer?.[Symbol.dispose]();
      this.#stopWatching?.();
    }
  }

  #hold(): Hold {
    const { services, response, request, body } = this.#options;
    // A login holds for a connection: it must be left as it can be used again, with its request sent whole.
    const isPersonal = this.#logsIn || services.pool.personal.has(response.req.socket);
    return body === null || isPersonal
      ? AT_ONCE
      : services.routes.hold(request.method, request.target, services.settings);
  }

  #newAttempt(reason: AttemptRecord['reason'], hold: Hold, notes: AttemptNotes | null): Attempt {
    const { services, response, request, head, body } = this.#options;
    const { method } = request;
    const { settings, pool } = services;
    this.#saysContinue = hold.saysContinue;
    return new Attempt({
      method,
      head,
      body,
      hold,
      maxHeaderBytes: settings.maxHeaderBytes,
      firstByteTimeoutMs: settings.firstByteTimeoutMs,
      bodyIdleTimeoutMs: settings.bodyIdleTimeoutMs,
      // Only what may be sent twice goes where it may be lost: on a connection that may be closing.
      mayReuse: reason === 'first' && body === null && isSafe(method) && this.#repeatable,
      client: response.req.socket,
      logsIn: this.#logsIn,
      pool,
      connect: () => services.connect(this.#connectTimeoutMs()),
      interim: (interimHead) => forwardInterim(response, request, interimHead),
      accept: (finalHead, framing) => this.#accept(finalHead, framing),
      notes,
    });
  }

  #learn(hold: Hold, verdict: VerdictKind, evidence: Evidence): void {
    const { services, request, body } = this.#options;
    if (body !== null) services.routes.learn(request.method, request.target, hold, verdict, evidence);
    if (evidence.ending === 'connect-failed') services.routes.upstreamIsAway();
  }

  #decide(verdict: VerdictKind, evidence: Evidence): ReturnType<typeof decide> {
    const { settings } = this.#options.services;
    return decide({
      verdict,
      evidence,
      repeatable: this.#repeatable,
      saysContinue: this.#saysContinue,
      retriesLeft: settings.retries - this.#retriesMade,
      retriesMade: this.#retriesMade,
      forgiven: this.#forgiven,
      waits: this.#waits,
      waitLeftMs: this.#waitLeftMs(),
      retryBackoffMs: settings.retryBackoffMs,
    });
  }

  #accept(
    head: ResponseHead,
    framing: Framing,
  ): ReturnType<ConstructorParameters<typeof Attempt>[0]['accept']> {
    const { services, request, response, receiveClock } = this.#options;
    const { spool, settings } = services;
    if (framing.kind !== 'none' && mustStream(head, settings.stream)) {
      const connection = connectionFields(response, settings.keepAliveTimeoutMs, services.closing);
      const sent = this.#options.clientHead(head);
      this.#options.notes?.delivering(response, sent, connection);
      this.#relay = new Relay(response, request, sent, framing, connection, receiveClock);
      this.#stopWatching = whenClientLeaves(response, () => this.abandon());
      return { sink: this.#relay, streams: true };
    }
    this.#writer?.[Symbol.dispose]();
    const expectedBytes = framing.kind === 'length' ? framing.length : framing.kind === 'none' ? 0 : null;
    this.#writer = spool.writer(expectedBytes, settings.memoryPerBodyBytes, settings.maxResponseBodyBytes);
    return { sink: this.#writer, streams: false };
  }

  #wholeAtOnce({ head }: Evidence): TrialResult | null {
    const body = head === null ? null : (this.#writer?.finishAtOnce() ?? null);
    return body === null || head === null ? null : { kind: 'whole', head, body };
  }

  async #whole(evidence: Evidence): Promise<TrialResult> {
    const writer = this.#writer;
    if (writer === null || evidence.head === null) return { kind: 'failed' };
    const body = await writer.finish();
    if (!('kind' in body)) return { kind: 'whole', head: evidence.head, body };
    this.#recordSpoolFailure(evidence);
    return { kind: 'failed' };
  }

  /** The response was whole, and then could not be kept. */
  #recordSpoolFailure(evidence: Evidence): void {
    const last = this.attempts.pop();
    if (last === undefined) return;
    const detail = 'its body could not be written to --spool-dir';
    const failed: Evidence = { ...evidence, ending: 'limit', errorCode: 'LIMIT_SPOOL', detail };
    this.attempts.push({ ...last, verdict: judge(failed), evidence: failed });
  }

  #enterWaitingRoom(): boolean {
    const { waitingRoom, settings } = this.#options.services;
    if (this.#waits === 0 && !waitingRoom.enter(settings.maxWaiting)) return false;
    this.#waits += 1;
    return true;
  }

  #pause(delayMs: number): Promise<void> {
    if (delayMs <= 0 || this.#abandoned) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delayMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Counted from the start of the first attempt that found nobody there. */
  #waitLeftMs(): number {
    const { services, clock } = this.#options;
    return services.settings.waitForUpstreamMs - (clock() - this.#waitStartedMs);
  }

  #connectTimeoutMs(): number {
    const { connectTimeoutMs } = this.#options.services.settings;
    return connectLimitMs(connectTimeoutMs, this.#waits === 0 ? null : this.#waitLeftMs());
  }
}
