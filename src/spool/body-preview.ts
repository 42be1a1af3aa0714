/** Keeps the first bytes of a body that goes elsewhere, to be shown later: in one buffer, and within a bound for all. */

import type { BodySink, SinkFault } from './spooled-body.ts';

const MAX_KEPT_BYTES = 64 * 1024;

/** The first bytes of a body. */
export interface BodyPreview {
  /** Bytes of the body that came. */
  readonly bytes: number;
  /** Bytes that are kept. */
  readonly keptBytes: number;
  /** Memory that they take. */
  readonly heldBytes: number;
  content(): Buffer;
}

/** How much memory the previews of all exchanges under way may take together. */
export class PreviewRoom {
  #leftBytes: number;

  constructor(bytes: number) {
    this.#leftBytes = bytes;
  }

  take(bytes: number): boolean {
    if (bytes > this.#leftBytes) return false;
    this.#leftBytes -= bytes;
    return true;
  }

  give(bytes: number): void {
    this.#leftBytes += bytes;
  }
}

/** The previews of one exchange. */
export class Previews {
  readonly #room: PreviewRoom;
  readonly #begun: PreviewWriter[] = [];

  constructor(room: PreviewRoom) {
    this.#room = room;
  }

  begin(): PreviewWriter {
    const preview = new PreviewWriter(this.#room);
    this.#begun.push(preview);
    return preview;
  }

  /** The exchange is over: whoever has its record counts what it holds. */
  release(): void {
    for (const preview of this.#begun.splice(0)) {
      preview.close();
      this.#room.give(preview.heldBytes);
    }
  }
}

export class PreviewWriter implements BodyPreview {
  readonly #room: PreviewRoom;
  /** Grows to the double. Of its own: a small one would hold on to Node's shared pool. */
  #kept: Buffer = Buffer.allocUnsafeSlow(0);
  #isFull = false;
  bytes = 0;
  keptBytes = 0;

  constructor(room: PreviewRoom) {
    this.#room = room;
  }

  get heldBytes(): number {
    return this.#kept.length;
  }

  content(): Buffer {
    return this.#kept.subarray(0, this.keptBytes);
  }

  /** Nothing more is kept: the rest of a refused body may still come. */
  close(): void {
    this.#isFull = true;
  }

  /** The body's next bytes: they are copied, because their memory is used again. */
  copy(bytes: Uint8Array): void {
    this.bytes += bytes.length;
    if (this.#isFull) return;
    const wanted = Math.min(this.keptBytes + bytes.length, MAX_KEPT_BYTES);
    if (wanted > this.#kept.length) this.#grow(wanted);
    const end = Math.min(wanted, this.#kept.length);
    this.#kept.set(bytes.subarray(0, end - this.keptBytes), this.keptBytes);
    this.keptBytes = end;
    // Once something is left out, nothing may follow.
    this.#isFull = this.keptBytes < this.bytes;
  }

  #grow(wanted: number): void {
    const size = Math.min(Math.max(wanted, 2 * this.#kept.length), MAX_KEPT_BYTES);
    if (!this.#room.take(size - this.#kept.length)) return;
    const larger = Buffer.allocUnsafeSlow(size);
    this.#kept.copy(larger, 0, 0, this.keptBytes);
    this.#kept = larger;
  }
}

/** Passes everything on to the sink, and lets a preview see it on its way. */
export class PreviewedSink implements BodySink {
  readonly #sink: BodySink;
  readonly #preview: PreviewWriter;
  #window: Uint8Array | null = null;

  constructor(sink: BodySink, preview: PreviewWriter) {
    this.#sink = sink;
    this.#preview = preview;
  }

  window(): Uint8Array | null {
    this.#window = this.#sink.window();
    return this.#window;
  }

  commit(bytes: number): void {
    if (this.#window !== null) this.#preview.copy(this.#window.subarray(0, bytes));
    this.#sink.commit(bytes);
  }

  append(bytes: Uint8Array): void {
    this.#preview.copy(bytes);
    this.#sink.append(bytes);
  }

  get congested(): boolean {
    return this.#sink.congested;
  }

  whenDrained(resume: () => void): void {
    this.#sink.whenDrained(resume);
  }

  get fault(): SinkFault | null {
    return this.#sink.fault;
  }
}
