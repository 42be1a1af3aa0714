/** Keeps the first bytes of a body that goes elsewhere, to be shown later, within a bound for all of them. */

import type { BodySink, SinkFault } from './spooled-body.ts';

const MAX_KEPT_BYTES = 64 * 1024;
/** V8 keeps the parts that a string was added up from, at 32 bytes for each, until it is copied. */
const MAX_PARTS = 256;

/** The first bytes of a body. */
export interface BodyPreview {
  /** Bytes of the body that came. */
  readonly bytes: number;
  /** Bytes that are kept. */
  readonly keptBytes: number;
  content(): Buffer;
}

/** How much memory the previews of all exchanges under way may take together. */
export class PreviewRoom {
  #leftBytes: number;

  constructor(bytes: number) {
    this.#leftBytes = bytes;
  }

  /** Returns how much of it there is. */
  take(bytes: number): number {
    const taken = Math.min(bytes, this.#leftBytes);
    this.#leftBytes -= taken;
    return taken;
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
      this.#room.give(preview.keptBytes);
    }
  }
}

export class PreviewWriter implements BodyPreview {
  readonly #room: PreviewRoom;
  /** One byte a character (latin1): a small string costs V8 much less to make and to free than a buffer of its own. */
  #kept = '';
  #parts = 0;
  #isFull = false;
  bytes = 0;

  constructor(room: PreviewRoom) {
    this.#room = room;
  }

  get keptBytes(): number {
    return this.#kept.length;
  }

  content(): Buffer {
    return Buffer.from(this.#kept, 'latin1');
  }

  /** Nothing more is kept: the rest of a refused body may still come. */
  close(): void {
    this.#isFull = true;
  }

  /** The body's next bytes: they are copied, because their memory is used again. */
  copy(bytes: Uint8Array): void {
    this.bytes += bytes.length;
    if (this.#isFull) return;
    const count = this.#room.take(Math.min(bytes.length, MAX_KEPT_BYTES - this.#kept.length));
    this.#kept += Buffer.from(bytes.buffer, bytes.byteOffset, count).toString('latin1');
    this.#parts += 1;
    if (this.#parts % MAX_PARTS === 0) this.#kept = this.content().toString('latin1');
    // Once something is left out, nothing may follow.
    this.#isFull = count < bytes.length;
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
