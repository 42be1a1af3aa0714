/** The times of an attempt's steps and a preview of its body; taken only while there is a listener. */

import { performance } from 'node:perf_hooks';
import { PreviewedSink } from '../spool/body-preview.ts';
import type { BodyPreview, PreviewWriter, Previews } from '../spool/body-preview.ts';
import type { BodySink } from '../spool/spooled-body.ts';

/** Ms since the exchange began; null: not reached, or not observable. */
export interface AttemptTimes {
  readonly connectedMs: number | null;
  readonly headSentMs: number | null;
  readonly bodyStartMs: number | null;
  /** The kernel has the last byte of the request body. */
  readonly bodySentMs: number | null;
  readonly firstByteMs: number | null;
  /** The final response head is complete. */
  readonly headMs: number | null;
  readonly lastByteMs: number | null;
  /** The first bytes of the response's body; null: there was no head. */
  readonly body: BodyPreview | null;
}

type Moment = Exclude<keyof AttemptTimes, 'body'>;

export class AttemptTimings implements AttemptTimes {
  readonly #startedMs: number;
  readonly #previews: Previews;
  connectedMs: number | null = null;
  headSentMs: number | null = null;
  bodyStartMs: number | null = null;
  bodySentMs: number | null = null;
  firstByteMs: number | null = null;
  headMs: number | null = null;
  lastByteMs: number | null = null;
  body: PreviewWriter | null = null;

  /** @param startedMs when the exchange began, by the monotonic clock */
  constructor(startedMs: number, previews: Previews) {
    this.#startedMs = startedMs;
    this.#previews = previews;
  }

  mark(moment: Moment): void {
    this[moment] = this.#nowMs();
  }

  /** Call when bytes arrive. */
  arrived(): void {
    const nowMs = this.#nowMs();
    this.firstByteMs ??= nowMs;
    this.lastByteMs = nowMs;
  }

  /** Wraps the sink of the body so that a preview is kept. */
  keeping(sink: BodySink): BodySink {
    // Called during the read that completed the head.
    this.headMs = this.lastByteMs ?? this.#nowMs();
    this.body = this.#previews.begin();
    return new PreviewedSink(sink, this.body);
  }

  #nowMs(): number {
    return performance.now() - this.#startedMs;
  }
}
