/** Gets a response from the upstream: tries, judges, decides, and tries again where that may help. */

import type { ServerResponse } from 'node:http';
import { ProxyError } from '../errors.ts';
import { logsConnectionIn } from '../http/connection-login.ts';
import type { Framing } from '../http/framing.ts';
import { isSafe, mayRetry } from '../http/idempotency.ts';
import type { Request } from '../http/request.ts';
import type { ResponseHead } from '../http/response-head.ts';
import { mustStream } from '../http/streaming.ts';
import type { ExchangeSpool } from '../spool/spool.ts';
import type { SpoolWriter } from '../spool/spool-writer.ts';
import type { SpooledBody } from '../spool/spooled-body.ts';
import type { AttemptNotes } from '../upstream/attempt-notes.ts';
import { Attempt } from '../upstream/attempt.ts';
import type { Hold } from '../upstream/request-sender.ts';
import { connectFailed, evidenceOf, failAlike } from '../upstream/evidence.ts';
import type { Ending, Evidence } from '../upstream/evidence.ts';
import { Look } from '../upstream/look.ts';
import { connectLimitMs, decide } from '../upstream/retry.ts';
import { judge } from '../upstream/verdict.ts';
import { AT_ONCE } from '../upstream/routes.ts';
import type { VerdictKind } from '../upstream/verdict.ts';
import { connectionFields } from './deliver.ts';
import { Absences } from './absences.ts';
import type { AttemptRecord } from './events.ts';
import { forwardInterim } from '../client/response-writer.ts';
import type { Notes } from './notes.ts';
import type { ReceiveClock } from '../client/send-progress.ts';
import { Relay, whenClientLeaves } from './relay.ts';
import type { Services } from './services.ts';

const NOT_KEPT: Ending = {
  kind: 'limit',
  limit: 'spool',
  detail: 'its body could not be written to --spool-dir',
};

export interface TrialOptions {
  readonly services: Services;
  readonly response: ServerResponse;
  readonly request: Request;
  readonly head: string;
  readonly body: SpooledBody | null;
  /** Where the response is kept, beside that body. */
  readonly spool: ExchangeSpool;
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
  readonly #options: TrialOptions;
  readonly #repeatable: boolean;
  readonly #logsIn: boolean;
  readonly #absences: Absences;
  #attempt: Attempt | null = null;
  #writer: SpoolWriter | null = null;
  #relay: Relay | null = null;
  #stopWatching: (() => void) | null = null;
  #abandoned = false;
  #wake: (() => void) | null = null;
  #looking: Look | null = null;
  #retriesMade = 0;
  #forgiven = false;
  /** As it was known when the last attempt began. */
  #saysContinue = false;

  constructor(options: TrialOptions) {
    this.#options = options;
    const { services, request } = options;
    this.#repeatable = mayRetry(request.method, request.fields, services.settings.retryMethods);
    this.#absences = new Absences(services.waitingRoom, services.settings);
    this.#logsIn = logsConnectionIn(request.fields);
  }

  /** Time spent on waiting for an upstream that takes no connections. */
  get waitedMs(): number {
    return this.#absences.waitedMs;
  }

  /** Stops at once: the client has left. */
  abandon(): void {
    this.#abandoned = true;
    this.#attempt?.abandon();
    this.#looking?.cancel();
    this.#wake?.();
  }

  async run(): Promise<TrialResult> {
    const { clock, services, notes: watched } = this.#options;
    let next: AttemptRecord['reason'] | 'look' = 'first';
    try {
      for (;;) {
        const tried = next === 'look' ? await this.#look() : await this.#try(next);
        if (this.#relay !== null) return { kind: 'relayed', relay: this.#relay };
        if (tried === null) return { kind: this.#abandoned ? 'abandoned' : 'failed' };
        const decision = this.#decide(tried);
        switch (decision.kind) {
          case 'deliver':
            if (tried.verdict === 'unverifiable' && services.settings.unverifiable === 'refuse')
              return { kind: 'failed' };
            return this.#wholeAtOnce(tried.evidence) ?? (await this.#whole(tried.evidence));
          case 'abandon':
            return { kind: 'abandoned' };
          case 'refuse':
            return { kind: 'failed' };
          case 'look':
            next = 'look';
            break;
          case 'retry':
            next = decision.reason;
            if (next === 'retry') this.#retriesMade += 1;
            else this.#forgiven = true;
            await this.#pause(decision.delayMs);
            break;
          case 'wait':
            next = 'waited';
            if (!this.#absences.wait()) return waitingRoomFull(services.settings.maxWaiting);
            watched?.waitBegins();
            await this.#pause(decision.delayMs);
            watched?.waitEnds();
            this.#absences.waited(clock());
            break;
        }
        if (this.#abandoned) return { kind: 'abandoned' };
      }
    } finally {
      this.#absences[Symbol.dispose]();
      this.#writer?.[Symbol.dispose]();
      this.#stopWatching?.();
    }
  }

  async #try(reason: AttemptRecord['reason']): Promise<AttemptRecord> {
    const { clock, notes: watched } = this.#options;
    const startedMs = clock();
    const hold = this.#hold();
    const notes = watched?.attempt() ?? null;
    this.#attempt = this.#newAttempt(reason, hold, notes);
    const evidence = await this.#attempt.run();
    this.#attempt = null;
    const verdict = judge(evidence);
    this.#learn(hold, verdict, evidence);
    return this.#add({ startedMs, endedMs: clock(), verdict, evidence, reason, notes });
  }

  /** Null: the upstream still takes connections. */
  async #look(): Promise<AttemptRecord | null> {
    const { clock, services, body } = this.#options;
    const startedMs = clock();
    this.#looking = new Look(() => services.connect(this.#connectTimeoutMs()));
    const failure = await this.#looking.run();
    this.#looking = null;
    if (failure === null) return null;
    services.routes.upstreamIsAway();
    const evidence = evidenceOf(connectFailed(failure), { requestBody: body === null ? 'none' : 'withheld' });
    const verdict = judge(evidence);
    return this.#add({ startedMs, endedMs: clock(), verdict, evidence, reason: 'waited', notes: null });
  }

  /** What comes back after a restart has all its tries. */
  #add(record: AttemptRecord): AttemptRecord {
    if (this.#absences.learn(this.attempts.at(-1), record)) this.#retriesMade = 0;
    this.attempts.push(record);
    return record;
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
    if (evidence.ending.kind === 'connect-failed') services.routes.upstreamIsAway();
  }

  #decide({ verdict, evidence }: AttemptRecord): ReturnType<typeof decide> {
    const { settings } = this.#options.services;
    const before = this.attempts.at(-2)?.evidence;
    return decide({
      verdict,
      evidence,
      repeatable: this.#repeatable,
      saysContinue: this.#saysContinue,
      retriesLeft: settings.retries - this.#retriesMade,
      retriesMade: this.#retriesMade,
      forgiven: this.#forgiven,
      failsAlike: before !== undefined && failAlike(before, evidence),
      restarts: this.#absences.restarts,
      waits: this.#absences.waits,
      waitLeftMs: this.#absences.leftMs(this.#options.clock()),
      retryBackoffMs: settings.retryBackoffMs,
    });
  }

  #accept(
    head: ResponseHead,
    framing: Framing,
  ): ReturnType<ConstructorParameters<typeof Attempt>[0]['accept']> {
    const { services, spool, request, response, receiveClock } = this.#options;
    const { settings } = services;
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
    const failed: Evidence = { ...evidence, ending: NOT_KEPT };
    this.attempts.push({ ...last, verdict: judge(failed), evidence: failed });
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

  #connectTimeoutMs(): number {
    const { services, clock } = this.#options;
    const leftMs = this.#absences.waits === 0 ? null : this.#absences.leftMs(clock());
    return connectLimitMs(services.settings.connectTimeoutMs, leftMs);
  }
}
