/** Copies the first bytes of a body for the inspector: into one buffer each, within one memory limit for all previews. */

import type { BodySink, SinkFault } from './spooled-body.ts';

const MAX_KEPT_BYTES = 64 * 1024;

/** The first bytes of a body. */
export interface BodyPreview {
  /** Bytes of the body that arrived. */
  readonly bytes: number;
  /** Bytes that are kept. */
  readonly keptBytes: number;
  /** Memory that they take. */
  readonly heldBytes: number;
  content(): Buffer;
}

/** The memory that the previews of all active exchanges share. */
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

  /** Call when the exchange has ended: from then on, the owner of its record counts the kept bytes. */
  release(): void {
    for (const preview of this.#begun.splice(0)) {
      preview.close();
      this.#room.give(preview.heldBytes);
    }
  }
}

export class PreviewWriter implements BodyPreview {
  readonly #room: PreviewRoom;
  /** Doubles as it grows. Not from Node's shared pool, which a small buffer would keep in memory. */
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

  /** Keeps nothing more, although the rest of a refused body may still arrive. */
  close(): void {
    this.#isFull = true;
  }

  /** Copies the body's next bytes, because their memory is reused. */
  copy(bytes: Uint8Array): void {
    this.bytes += bytes.length;
    if (this.#isFull) return;
    const wanted = Math.min(this.keptBytes + bytes.length, MAX_KEPT_BYTES);
    if (wanted > this.#kept.length) this.#grow(wanted);
    const end = Math.min(wanted, this.#kept.length);
    this.#kept.set(bytes.subarray(0, end - this.keptBytes), this.keptBytes);
    this.keptBytes = end;
    // A preview has no gaps: after a part that did not fit, nothing more is kept.
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

/** Passes everything to the sink, and copies its first bytes to a preview. */
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
