/** Sends the request's body as the scenario wants it: at once, held back, by halves, or when it is asked for. */

import type { UpstreamConnection } from '../upstream/connection.ts';
import type { RequestBodySent } from '../upstream/evidence.ts';
import type { BodyPlan } from './scenarios.ts';

/** Half as long again as the proxy holds a body toward a server that it does not know. */
const HOLD_MS = 150;
/** For a body that is held while the response comes: the server may want it before it goes on. */
const HOLD_WHILE_ANSWERED_MS = 2_000;
/** curl waits a second; what a server sends at all it sends at once. */
const CONTINUE_MS = 300;

export class BodySender {
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

  /** The server said 100 (Continue). */
  wanted(): void {
    if (this.#hold !== null && this.#plan.framing !== 'none' && this.#plan.sent === 'on-continue')
      this.#sendRest();
  }

  /** The server answers while we hold: it may well need no body. */
  answered(): void {
    if (this.#hold !== null) this.#holdFor(HOLD_WHILE_ANSWERED_MS);
  }

  stop(): void {
    if (this.#hold !== null) clearTimeout(this.#hold);
    this.#hold = null;
  }

  /** How long before the body's last byte the response's first one came; null: it came after it, or there was no body. */
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
