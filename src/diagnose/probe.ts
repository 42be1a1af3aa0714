/** One try of a scenario: opens a connection, sends the request, observes the response, and then the connection's end. */

import { setTimeout as delay } from 'node:timers/promises';
import { saysClose } from '../http/framing.ts';
import type { ConnectionEnd, ConnectionReader, UpstreamConnection } from '../upstream/connection.ts';
import { openConnection } from '../upstream/dial.ts';
import { CLIENT_GONE, connectFailed, evidenceOf, resetBy } from '../upstream/evidence.ts';
import type { Ending, Evidence, RequestBodySent } from '../upstream/evidence.ts';
import { judge } from '../upstream/verdict.ts';
import { bodyOf, methodOf, requestHead, type RequestTemplate } from './request.ts';
import { ProbedResponse } from './response.ts';
import { planOf, sendsBody, type BodyPlan, type Plan } from './scenarios.ts';
import { outcomeOf } from './tally.ts';
import type { ClosedBy, KeepAlive, Observation } from './tally.ts';

export interface ProbeLimits {
  readonly insecure: boolean;
  readonly connectTimeoutMs: number;
  /** Silence that counts as a hang. */
  readonly timeoutMs: number;
  /** How long one response may take, even if bytes keep coming. */
  readonly tryLimitMs: number;
  readonly maxBodyBytes: number;
}

export interface ProbePlan {
  readonly template: RequestTemplate;
  readonly plan: Plan;
  readonly limits: ProbeLimits;
}

/** Never rejects: whatever happens is an observation. `signal` ends the try as if the client had left. */
export async function probe(what: ProbePlan, signal: AbortSignal): Promise<Observation> {
  const { template, plan, limits } = what;
  const { connectTimeoutMs: timeoutMs, insecure } = limits;
  const startedMs = performance.now();
  const connecting = openConnection({ target: template.subject.target, insecure, timeoutMs });
  const cancel = (): void => connecting.cancel();
  signal.addEventListener('abort', cancel);
  const result = await connecting.result;
  signal.removeEventListener('abort', cancel);
  if (result.kind === 'failed') {
    const ending = signal.aborted ? CLIENT_GONE : connectFailed(result);
    return unconnected(ending, sendsBody(plan), performance.now() - startedMs);
  }
  const attempt = new Attempt(result.connection, what);
  const abort = (): void => attempt.abandon();
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  try {
    return await attempt.run();
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function unconnected(ending: Ending, withBody: boolean, endedMs: number): Observation {
  const evidence = evidenceOf(ending, { requestBody: withBody ? 'withheld' : 'none' });
  const response = { evidence, verdict: judge(evidence), firstByteMs: null, endedMs };
  const closed = { by: 'nobody', afterMs: endedMs } as const;
  return {
    outcome: outcomeOf({ response, closed }),
    response,
    interim: [],
    closed,
    bodyRead: withBody ? 'not-sent' : 'no-body',
    headStartMs: null,
    keepAlive: 'not-asked',
    again: null,
  };
}

/** A slow reader takes this much, and then pauses. */
const SLOW_STEP_BYTES = 128 * 1024;
const SLOW_PAUSE_MS = 1;
const LATE_MS = 100;
/** How long to wait for a close after the response: shorter than any server's idle timeout. */
const CLOSE_WAIT_MS = 40;

const TOO_LONG: Ending = { kind: 'limit', limit: 'body', detail: 'it went on for too long' };

const SECOND_REQUEST: Plan = planOf({});

class Attempt implements ConnectionReader {
  readonly #connection: UpstreamConnection;
  readonly #what: ProbePlan;
  readonly #sender: BodySender;
  readonly #interim: number[] = [];
  readonly #isClosed: Promise<void>;
  #response: ProbedResponse;
  #closed: { readonly by: ClosedBy; readonly atMs: number } | null = null;
  #settleClosed: () => void = () => undefined;
  #pause: NodeJS.Timeout | null = null;
  #readSincePause = 0;

  constructor(connection: UpstreamConnection, what: ProbePlan) {
    this.#connection = connection;
    this.#what = what;
    const { template, plan } = what;
    this.#sender = new BodySender(connection, bodyOf(template, plan), plan.body);
    this.#response = this.#expectResponse(methodOf(template, plan), false);
    this.#isClosed = new Promise((resolve) => {
      this.#settleClosed = resolve;
    });
  }

  async run(): Promise<Observation> {
    const { plan, limits } = this.#what;
    const startedMs = performance.now();
    const limit = setTimeout(() => this.#response.stop(TOO_LONG), limits.tryLimitMs);
    this.#send();
    const first = this.#response;
    await first.isOver;
    this.#sender.stop();
    const keepAlive = await this.#afterwards(first);
    clearTimeout(limit);
    if (this.#pause !== null) clearTimeout(this.#pause);
    const response = first.seen();
    const { by, atMs } = this.#closed ?? { by: 'nobody', atMs: performance.now() };
    const closed = { by, afterMs: atMs - startedMs };
    this.#connection.destroy();
    return {
      outcome: outcomeOf({ response, closed }),
      response,
      interim: this.#interim,
      closed,
      bodyRead: bodyRead(plan, response.evidence, by),
      headStartMs: this.#sender.headStartMs(first.firstByteAtMs),
      keepAlive,
      again: this.#response === first ? null : this.#response.seen(),
    };
  }

  abandon(): void {
    this.#response.stop(CLIENT_GONE);
  }

  // ConnectionReader

  window(): null {
    return null;
  }

  bytes(buffer: Uint8Array, count: number): boolean {
    this.#response.read(buffer, count);
    if (this.#what.plan.reader !== 'slow' || this.#response.finished) return true;
    this.#readSincePause += count;
    if (this.#readSincePause < SLOW_STEP_BYTES) return true;
    this.#readSincePause = 0;
    // A paused TLS socket still delivers what it has already decrypted.
    if (this.#pause === null) this.#resumeIn(SLOW_PAUSE_MS);
    return false;
  }

  ended(how: ConnectionEnd): void {
    this.#closed = { by: how.kind, atMs: performance.now() };
    this.#response.stop(how);
    this.#settleClosed();
  }

  timedOut(): void {
    this.#response.timedOut();
  }

  #expectResponse(method: string, reusedConnection: boolean): ProbedResponse {
    return new ProbedResponse({
      method,
      maxBodyBytes: this.#what.limits.maxBodyBytes,
      reusedConnection,
      requestBody: () => (reusedConnection ? 'none' : this.#sender.sent),
      onInterim: (status) => {
        this.#interim.push(status);
        if (status === 100) this.#sender.continued();
      },
      onHead: () => this.#sender.responded(),
    });
  }

  #send(): void {
    const { template, plan, limits } = this.#what;
    const connection = this.#connection;
    connection.attach(this);
    connection.setTimeout(limits.timeoutMs);
    if (plan.reader === 'late') {
      connection.socket.pause();
      this.#resumeIn(LATE_MS);
    }
    connection.socket.cork();
    connection.write(requestHead(template, plan));
    this.#sender.start();
    connection.socket.uncork();
    if (plan.halfClose) connection.socket.end();
    if (!connection.usable) this.ended(resetBy(null));
  }

  #resumeIn(ms: number): void {
    this.#pause = setTimeout(() => {
      this.#pause = null;
      this.#connection.resume();
    }, ms);
  }

  /** What the server does with the connection after its response. */
  async #afterwards(first: ProbedResponse): Promise<KeepAlive> {
    const { verdict, evidence } = first.seen();
    if (verdict === 'complete') await Promise.race([this.#isClosed, delay(CLOSE_WAIT_MS)]);
    if (!this.#what.plan.again) return 'not-asked';
    if (evidence.head !== null && saysClose(evidence.head)) return 'declined';
    if (verdict !== 'complete') return 'not-asked';
    return this.#closed === null ? await this.#askAgain() : 'closed-early';
  }

  async #askAgain(): Promise<KeepAlive> {
    const second = this.#expectResponse('GET', true);
    this.#response = second;
    this.#connection.write(requestHead(this.#what.template, SECOND_REQUEST));
    await second.isOver;
    const { verdict, evidence } = second.seen();
    if (verdict !== 'no-response') return 'honoured';
    return evidence.ending.kind === 'timeout' ? 'unanswered' : 'closed-early';
  }
}

function bodyRead(plan: Plan, { requestBody }: Evidence, closedBy: ClosedBy): Observation['bodyRead'] {
  if (!sendsBody(plan)) return 'no-body';
  if (requestBody === 'withheld') return 'not-sent';
  if (closedBy === 'rst') return 'unread';
  return closedBy === 'fin' && requestBody === 'whole' ? 'read' : 'unknown';
}

/** Longer than the proxy's own default for --body-hold. */
const HOLD_MS = 150;
/** After the response has begun: the server may still need the body to go on. */
const HOLD_AFTER_RESPONSE_MS = 2_000;
/** curl waits a second, but a server that sends 100 (Continue) sends it at once. */
const CONTINUE_MS = 300;

/** Sends the request body as the scenario wants it: at once, held back, in halves, or when it is asked for. */
class BodySender {
  readonly #connection: UpstreamConnection;
  readonly #first: Buffer;
  readonly #rest: Buffer;
  readonly #plan: BodyPlan;
  #sent: RequestBodySent;
  #hold: NodeJS.Timeout | null = null;
  #sentAtMs: number | null = null;

  constructor(
    connection: UpstreamConnection,
    { first, rest }: { readonly first: Buffer; readonly rest: Buffer },
    plan: BodyPlan,
  ) {
    this.#connection = connection;
    this.#first = first;
    this.#rest = rest;
    this.#plan = plan;
    this.#sent = plan.framing === 'none' ? 'none' : 'withheld';
  }

  get sent(): RequestBodySent {
    return this.#sent;
  }

  start(): void {
    if (this.#plan.framing === 'none') return;
    if (this.#first.length > 0) this.#write(this.#first, this.#rest.length === 0);
    if (this.#rest.length > 0) this.#holdFor(this.#plan.sent === 'on-continue' ? CONTINUE_MS : HOLD_MS);
  }

  /** The server sent 100 (Continue). */
  continued(): void {
    if (this.#hold !== null && this.#plan.framing !== 'none' && this.#plan.sent === 'on-continue')
      this.#sendRest();
  }

  /** The response has begun while the body is held: the server may not need the body. */
  responded(): void {
    if (this.#hold !== null) this.#holdFor(HOLD_AFTER_RESPONSE_MS);
  }

  stop(): void {
    if (this.#hold !== null) clearTimeout(this.#hold);
    this.#hold = null;
  }

  /** How long before the body's last byte the response began; null: it began after it, or there was no body. */
  headStartMs(firstByteAtMs: number | null): number | null {
    if (firstByteAtMs === null || this.#plan.framing === 'none') return null;
    const bodyMs = this.#sentAtMs ?? performance.now();
    return bodyMs > firstByteAtMs ? bodyMs - firstByteAtMs : null;
  }

  #holdFor(ms: number): void {
    this.stop();
    this.#hold = setTimeout(() => this.#sendRest(), ms);
  }

  #sendRest(): void {
    this.stop();
    this.#write(this.#rest, true);
  }

  #write(bytes: Buffer, isLast: boolean): void {
    this.#sent = 'partly';
    this.#connection.write(bytes, (error) => {
      if (!isLast || error) return;
      this.#sent = 'whole';
      this.#sentAtMs = performance.now();
    });
  }
}
