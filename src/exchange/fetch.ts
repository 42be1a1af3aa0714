/** Gets a response from the upstream: makes attempts, judges each, and decides whether to retry, wait or stop. */

import { connectionFields, whenClientLeaves } from '../client/response-writer.ts';
import type { ReceiveClock } from '../client/send-progress.ts';
import { ProxyError } from '../errors.ts';
import type { Framing } from '../http/framing.ts';
import { mayRetry } from '../http/request.ts';
import type { ResponseHead } from '../http/response-head.ts';
import { mustStream } from '../http/streaming.ts';
import type { SpoolWriter } from '../spool/spool-writer.ts';
import type { ExchangeSpool } from '../spool/spool.ts';
import type { SpooledBody } from '../spool/spooled-body.ts';
import type { Accept } from '../upstream/attempt.ts';
import { connectFailed, evidenceOf, failAlike, sinkFault } from '../upstream/evidence.ts';
import type { Evidence } from '../upstream/evidence.ts';
import { Absences, Look } from '../upstream/absence.ts';
import { connectLimitMs, decide } from '../upstream/retry.ts';
import type { Decision } from '../upstream/retry.ts';
import { judge } from '../upstream/verdict.ts';
import type { AttemptRecord } from './events.ts';
import type { Recorder } from './recorder.ts';
import { Relay } from './deliver.ts';
import type { Asked, Transport } from './transport.ts';

export interface FetchOptions {
  readonly asked: Asked;
  readonly transport: Transport;
  /** The complete request body; null: there is none, or it is forwarded as it arrives. */
  readonly body: SpooledBody | null;
  /** Where the response is buffered; shares its accounts with that body. */
  readonly spool: ExchangeSpool;
  /** The client's receive timeout, for a response that is relayed. */
  readonly receiveClock: ReceiveClock;
  /** Records the attempts and the time waited. */
  readonly recorder: Recorder;
  /** Returns the head for the client. */
  readonly clientHead: (head: ResponseHead) => ResponseHead;
}

/**
 * - `whole`: to be delivered
 * - `relayed`: relayed as it arrived; the last attempt's verdict says whether to its end
 * - `switched`: the connections of client and upstream were joined, and have ended
 * - `failed`: the last attempt says why
 * - `refused`: stopped for another reason
 * - `abandoned`: `abandon` was called
 */
export type Fetched =
  | { readonly kind: 'whole'; readonly head: ResponseHead; readonly body: SpooledBody }
  | { readonly kind: 'relayed'; readonly relay: Relay }
  | { readonly kind: 'switched' | 'failed' | 'abandoned' }
  | { readonly kind: 'refused'; readonly error: ProxyError };

/** What to do next: another attempt, with its reason, or a check whether the upstream still accepts connections. */
type Next = AttemptRecord['reason'] | 'look';

const FAILED: Fetched = { kind: 'failed' };
const ABANDONED: Fetched = { kind: 'abandoned' };
const SWITCHED: Fetched = { kind: 'switched' };

export class Fetch {
  readonly #options: FetchOptions;
  readonly #repeatable: boolean;
  readonly #absences: Absences;
  #writer: SpoolWriter | null = null;
  #relay: Relay | null = null;
  #stopWatching: (() => void) | null = null;
  #abandoned = false;
  #wake: (() => void) | null = null;
  #looking: Look | null = null;
  #retriesMade = 0;
  #freeRetryUsed = false;

  constructor(options: FetchOptions) {
    this.#options = options;
    const { services, request } = options.asked;
    const { settings, waitingRoom } = services;
    // A body that is forwarded as it arrives is not kept, so it cannot be sent again.
    this.#repeatable =
      options.transport.kind === 'buffered' &&
      mayRetry(request.method, request.fields, settings.retryMethods);
    this.#absences = new Absences(waitingRoom, settings);
  }

  /** Whether a response is being relayed to the client, so that it can only be cut. */
  get isRelaying(): boolean {
    return this.#relay !== null;
  }

  /** Stops at once: the client has left, or gets another response. */
  abandon(): void {
    this.#abandoned = true;
    this.#options.transport.abandon();
    this.#looking?.cancel();
    this.#wake?.();
  }

  async run(): Promise<Fetched> {
    let next: Next = 'first';
    try {
      for (;;) {
        const tried = next === 'look' ? await this.#look() : await this.#try(next);
        if (tried === 'switched') return SWITCHED;
        if (this.#relay !== null) return { kind: 'relayed', relay: this.#relay };
        if (tried === 'still-there') return this.#abandoned ? ABANDONED : FAILED;
        const decision = this.#decide(tried);
        if (decision.kind === 'deliver') return this.#wholeAtOnce(tried) ?? (await this.#whole(tried));
        if (decision.kind === 'abandon') return ABANDONED;
        if (decision.kind === 'refuse') return FAILED;
        const prepared = await this.#prepare(decision);
        if (this.#abandoned) return ABANDONED;
        if (typeof prepared === 'object') return prepared;
        next = prepared;
      }
    } finally {
      this.#absences[Symbol.dispose]();
      this.#writer?.[Symbol.dispose]();
      this.#stopWatching?.();
    }
  }

  async #try(reason: AttemptRecord['reason']): Promise<AttemptRecord | 'switched'> {
    const { transport, body, recorder } = this.#options;
    const startedMs = recorder.clock();
    const notes = recorder.notes?.attempt() ?? null;
    const evidence = await transport.attempt({
      reason,
      body,
      connectTimeoutMs: this.#connectTimeoutMs(),
      accept: (head, framing) => this.#accept(head, framing),
      notes,
    });
    if (evidence === null) return 'switched';
    return this.#add({
      startedMs,
      endedMs: recorder.clock(),
      verdict: judge(evidence),
      evidence,
      reason,
      notes,
    });
  }

  /** Checks whether the upstream still accepts connections. If not, that is recorded as one more attempt. */
  async #look(): Promise<AttemptRecord | 'still-there'> {
    const { asked, body, recorder } = this.#options;
    const startedMs = recorder.clock();
    this.#looking = new Look(() => asked.services.connect(this.#connectTimeoutMs()));
    const failure = await this.#looking.run();
    this.#looking = null;
    if (failure === null) return 'still-there';
    const requestBody = body === null || body.bytes === 0 ? 'none' : 'withheld';
    const evidence = evidenceOf(connectFailed(failure), { requestBody });
    const verdict = judge(evidence);
    return this.#add({
      startedMs,
      endedMs: recorder.clock(),
      verdict,
      evidence,
      reason: 'waited',
      notes: null,
    });
  }

  #add(record: AttemptRecord): AttemptRecord {
    const { asked, recorder } = this.#options;
    if (record.evidence.ending.kind === 'connect-failed') asked.services.routes.upstreamIsAway();
    // After a restart, all retries are available again.
    if (this.#absences.learn(recorder.attempts.at(-1), record)) this.#retriesMade = 0;
    recorder.attempts.push(record);
    return record;
  }

  #decide({ verdict, evidence }: AttemptRecord): Decision {
    const { asked, transport, recorder } = this.#options;
    const { retries, retryBackoffMs, unverifiable } = asked.services.settings;
    const before = recorder.attempts.at(-2)?.evidence;
    return decide({
      verdict,
      evidence,
      refusesUnverifiable: unverifiable === 'refuse',
      repeatable: this.#repeatable,
      saysContinue: transport.saysContinue,
      retriesLeft: retries - this.#retriesMade,
      retriesMade: this.#retriesMade,
      freeRetryUsed: this.#freeRetryUsed,
      failsAlike: before !== undefined && failAlike(before, evidence),
      restarts: this.#absences.restarts,
      waits: this.#absences.waits,
      waitLeftMs: this.#absences.leftMs(recorder.clock()),
      retryBackoffMs,
    });
  }

  /** Waits as decided; resolves with the next step. */
  async #prepare(decision: Extract<Decision, { kind: 'look' | 'retry' | 'wait' }>): Promise<Next | Fetched> {
    switch (decision.kind) {
      case 'look':
        return 'look';
      case 'retry':
        if (decision.reason === 'retry') this.#retriesMade += 1;
        else this.#freeRetryUsed = true;
        await this.#pause(decision.delayMs);
        return decision.reason;
      case 'wait': {
        const { asked, recorder } = this.#options;
        if (!this.#absences.wait()) return waitingRoomFull(asked.services.settings.maxWaiting);
        recorder.notes?.waitBegins();
        await this.#pause(decision.delayMs);
        recorder.notes?.waitEnds();
        this.#absences.waited(recorder.clock());
        recorder.waitedMs = this.#absences.waitedMs;
        return 'waited';
      }
    }
  }

  #accept(head: ResponseHead, framing: Framing): ReturnType<Accept> {
    const { asked, spool } = this.#options;
    const { settings } = asked.services;
    if (this.#mustRelay(head, framing)) return { sink: this.#beginRelay(head, framing), streams: true };
    this.#writer?.[Symbol.dispose]();
    const expectedBytes = framing.kind === 'length' ? framing.length : framing.kind === 'none' ? 0 : null;
    this.#writer = spool.writer(expectedBytes, settings.memoryPerBodyBytes, settings.maxResponseBodyBytes);
    return { sink: this.#writer, streams: false };
  }

  #mustRelay(head: ResponseHead, framing: Framing): boolean {
    const { asked, transport } = this.#options;
    if (transport.kind !== 'buffered') return transport.kind === 'streamed';
    return framing.kind !== 'none' && mustStream(head, asked.services.settings.stream);
  }

  #beginRelay(received: ResponseHead, framing: Framing): Relay {
    const { asked, receiveClock, recorder } = this.#options;
    const { services, request, response, keepAliveTimeoutMs } = asked;
    const connection = connectionFields(response, keepAliveTimeoutMs, services.isClosing());
    const head = this.#options.clientHead(received);
    recorder.notes?.delivering(response, head, connection);
    this.#relay = new Relay(response, request, head, framing, connection, receiveClock);
    this.#stopWatching = whenClientLeaves(response, () => this.abandon());
    return this.#relay;
  }

  #wholeAtOnce({ evidence: { head } }: AttemptRecord): Fetched | null {
    const body = head === null ? null : (this.#writer?.finishAtOnce() ?? null);
    return body === null || head === null ? null : { kind: 'whole', head, body };
  }

  async #whole(record: AttemptRecord): Promise<Fetched> {
    const { attempts } = this.#options.recorder;
    const { head } = record.evidence;
    if (this.#writer === null || head === null) return FAILED;
    const body = await this.#writer.finish();
    if (!('kind' in body)) return { kind: 'whole', head, body };
    // The response was complete, but could not be buffered.
    const evidence: Evidence = { ...record.evidence, ending: sinkFault(body) };
    attempts[attempts.length - 1] = { ...record, verdict: judge(evidence), evidence };
    return FAILED;
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
    const { asked, recorder } = this.#options;
    const leftMs = this.#absences.waits === 0 ? null : this.#absences.leftMs(recorder.clock());
    return connectLimitMs(asked.services.settings.connectTimeoutMs, leftMs);
  }
}

function waitingRoomFull(maxWaiting: number): Fetched {
  const sentence = `${maxWaiting} requests are already waiting for the upstream, the limit of --max-waiting. Start the upstream, or raise the limit.`;
  return { kind: 'refused', error: new ProxyError('waiting_room_full', sentence) };
}
