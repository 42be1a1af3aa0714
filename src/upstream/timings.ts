/** When each step of an attempt was reached, and how its body began: taken while somebody watches, and only then. */

import { performance } from 'node:perf_hooks';
import { PreviewedSink } from '../spool/body-preview.ts';
import type { BodyPreview, PreviewWriter, Previews } from '../spool/body-preview.ts';
import type { BodySink } from '../spool/spooled-body.ts';

/** Ms since the exchange began; null: it did not come to that, or it cannot be seen. */
export interface AttemptTimes {
  readonly connectedMs: number | null;
  readonly headSentMs: number | null;
  readonly bodyStartMs: number | null;
  /** The last byte of the request body is with the kernel. */
  readonly bodySentMs: number | null;
  readonly firstByteMs: number | null;
  /** The final head of the response is whole. */
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

  /** Bytes came. */
  arrived(): void {
    const nowMs = this.#nowMs();
    this.firstByteMs ??= nowMs;
    this.lastByteMs = nowMs;
  }

  /** The sink for the body, which is to be seen on its way. */
  keeping(sink: BodySink): BodySink {
    // It is told in the middle of the read that brought its end.
    this.headMs = this.lastByteMs ?? this.#nowMs();
    this.body = this.#previews.begin();
    return new PreviewedSink(sink, this.body);
  }

  #nowMs(): number {
    return performance.now() - this.#startedMs;
  }
}
