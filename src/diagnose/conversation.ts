/** What is said and seen on one connection of a diagnosis: the request, the response, and what becomes of the connection. */

import { saysClose } from '../http/framing.ts';
import type { ConnectionEnd, ConnectionReader, UpstreamConnection } from '../upstream/connection.ts';
import { CLIENT_GONE, resetBy } from '../upstream/evidence.ts';
import type { Ending, Evidence } from '../upstream/evidence.ts';
import { AnswerReader } from './answer-reader.ts';
import { BodySender } from './body-sender.ts';
import type { ClosedBy, KeepAlive, Observation } from './outcome.ts';
import { bodyOf, methodOf, requestHead, type Asking } from './request.ts';
import { planOf, sendsBody, type Plan } from './scenarios.ts';

export interface ProbeLimits {
  readonly insecure: boolean;
  readonly connectTimeoutMs: number;
  /** Silence that counts as a hang. */
  readonly timeoutMs: number;
  /** Longest time of one response, however busy. */
  readonly tryLimitMs: number;
  readonly maxBodyBytes: number;
}

/** A slow reader takes this much, and then sleeps. */
const SLOW_STEP_BYTES = 128 * 1024;
const SLOW_PAUSE_MS = 1;
const LATE_MS = 100;
/** How long a server that was asked to close may take before we count it as waiting for us. */
const CLOSE_WAIT_MS = 40;
/** Between two requests on one connection: shorter than any idle time, longer than a close that is under way. */
const KEEP_ALIVE_PAUSE_MS = 40;

/** It was busy for longer than one try may take. */
const OUT_OF_TIME: Ending = { kind: 'limit', limit: 'body', detail: 'it went on for too long' };

const SECOND_REQUEST: Plan = planOf({});

export interface Setting {
  readonly asking: Asking;
  readonly plan: Plan;
  readonly limits: ProbeLimits;
}

export class Conversation implements ConnectionReader {
  readonly #connection: UpstreamConnection;
  readonly #setting: Setting;
  readonly #sender: BodySender;
  readonly #interim: number[] = [];
  readonly #isClosed: Promise<void>;
  #answer: AnswerReader;
  #closed: { readonly by: ClosedBy; readonly atMs: number } | null = null;
  #settleClosed: () => void = () => undefined;
  #pause: NodeJS.Timeout | null = null;
  #readSincePause = 0;

  constructor(connection: UpstreamConnection, setting: Setting) {
    this.#connection = connection;
    this.#setting = setting;
    const { asking, plan } = setting;
    this.#sender = new BodySender(connection, bodyOf(asking, plan), plan.body);
    this.#answer = this.#expectAnswer(methodOf(asking, plan), false);
    this.#isClosed = new Promise((resolve) => {
      this.#settleClosed = resolve;
    });
  }

  async run(): Promise<Observation> {
    const { plan, limits } = this.#setting;
    const startedMs = performance.now();
    const limit = setTimeout(() => this.#answer.stop(OUT_OF_TIME), limits.tryLimitMs);
    this.#send();
    const first = this.#answer;
    await first.isOver;
    this.#sender.stop();
    const keepAlive = await this.#afterwards(first);
    clearTimeout(limit);
    if (this.#pause !== null) clearTimeout(this.#pause);
    const answer = first.seen();
    const closed = this.#closed ?? { by: 'nobody', atMs: performance.now() };
    this.#connection.destroy();
    return {
      answer,
      interim: this.#interim,
      closed: { by: closed.by, afterMs: closed.atMs - startedMs },
      bodyRead: bodyRead(plan, answer.evidence, closed.by),
      headStartMs: this.#sender.headStartMs(first.firstByteAtMs),
      keepAlive,
      again: this.#answer === first ? null : this.#answer.seen(),
    };
  }

  abandon(): void {
    this.#answer.stop(CLIENT_GONE);
  }

  // The connection's reader

  window(): null {
    return null;
  }

  bytes(buffer: Uint8Array, count: number): boolean {
    this.#answer.read(buffer, count);
    if (this.#setting.plan.reader !== 'slow' || this.#answer.finished) return true;
    this.#readSincePause += count;
    if (this.#readSincePause < SLOW_STEP_BYTES) return true;
    this.#readSincePause = 0;
    // TLS still delivers what it has deciphered after it was told to stop.
    if (this.#pause === null) this.#resumeIn(SLOW_PAUSE_MS);
    return false;
  }

  ended(how: ConnectionEnd): void {
    this.#closed = { by: how.kind, atMs: performance.now() };
    this.#answer.stop(how);
    this.#settleClosed();
  }

  timedOut(): void {
    this.#answer.timedOut();
  }

  #expectAnswer(method: string, reusedConnection: boolean): AnswerReader {
    return new AnswerReader({
      method,
      maxBodyBytes: this.#setting.limits.maxBodyBytes,
      reusedConnection,
      requestBody: () => (reusedConnection ? 'none' : this.#sender.sent),
      onInterim: (status) => {
        this.#interim.push(status);
        if (status === 100) this.#sender.wanted();
      },
      onHead: () => this.#sender.answered(),
    });
  }

  #send(): void {
    const { asking, plan, limits } = this.#setting;
    const connection = this.#connection;
    connection.attach(this);
    connection.setTimeout(limits.timeoutMs);
    if (plan.reader === 'late') {
      connection.socket.pause();
      this.#resumeIn(LATE_MS);
    }
    connection.socket.cork();
    connection.write(requestHead(asking, plan));
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

  /** What the server does with the connection once the response is whole. */
  async #afterwards(first: AnswerReader): Promise<KeepAlive> {
    const { verdict, evidence } = first.seen();
    const { again } = this.#setting.plan;
    if (verdict !== 'complete') return again && evidence.head !== null ? declinedBy(evidence) : 'not-asked';
    await this.#closedWithin(again ? KEEP_ALIVE_PAUSE_MS : CLOSE_WAIT_MS);
    if (!again) return 'not-asked';
    if (declinedBy(evidence) === 'declined') return 'declined';
    if (this.#closed !== null) return 'closed-early';
    return await this.#askAgain();
  }

  async #askAgain(): Promise<KeepAlive> {
    const { asking } = this.#setting;
    const second = this.#expectAnswer('GET', true);
    this.#answer = second;
    this.#connection.write(requestHead(asking, SECOND_REQUEST));
    await second.isOver;
    const { verdict, evidence } = second.seen();
    if (verdict !== 'no-response') return 'honoured';
    return evidence.ending.kind === 'timeout' ? 'unanswered' : 'closed-early';
  }

  async #closedWithin(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | null = null;
    const waited = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    await Promise.race([this.#isClosed, waited]);
    if (timer !== null) clearTimeout(timer);
  }
}

function declinedBy({ head }: Evidence): 'declined' | 'not-asked' {
  return head !== null && saysClose(head) ? 'declined' : 'not-asked';
}

function bodyRead(plan: Plan, { requestBody }: Evidence, closedBy: ClosedBy): Observation['bodyRead'] {
  if (!sendsBody(plan)) return 'no-body';
  if (requestBody === 'withheld') return 'not-sent';
  if (closedBy === 'rst') return 'unread';
  return closedBy === 'fin' && requestBody === 'whole' ? 'read' : 'unknown';
}
