/** The decoder of the chunked transfer coding (RFC 9112 section 7.1): strict, incremental and total. */

import { explainControl, explainFieldLine, FIELD_LINE } from './response-head.ts';
import { quoted } from './quoted.ts';

const MAX_EXTENSION_BYTES = 4096;
const MAX_TRAILER_BYTES = 16 * 1024;
/** 16 ** 13 is less than 2 ** 53: every size is an exact number. */
const MAX_SIZE_DIGITS = 13;
const MAX_SIZE_LINE_BYTES = MAX_SIZE_DIGITS + MAX_EXTENSION_BYTES + '\r\n'.length;

const SIZE_LINE = /^[\da-f]{1,13}(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?\r\n$/i;
/** A size line whose end has not arrived yet. */
const SIZE_LINE_START = /^[\da-f]{1,13}(?:[ \t]*|[ \t]*;[\t\x20-\x7e\x80-\xff]*)\r?$/i;

const CR = 0x0d;
const LF = 0x0a;

/** Which part of the coding is malformed. */
export type ChunkFault = 'chunk-size' | 'chunk-extension' | 'chunk-end' | 'trailer';

export interface ChunkError {
  readonly fault: ChunkFault;
  /** A clause for a sentence. */
  readonly detail: string;
}

type State = 'size' | 'bytes' | 'cr' | 'lf' | 'trailer' | 'done' | 'failed';

export class ChunkedDecoder {
  #state: State = 'size';
  /** Bytes of the current chunk that have not arrived yet. */
  #left = 0;
  /** The part of the current line that has arrived. */
  #line = '';
  #trailerBytes = 0;
  #trailerFields = 0;
  #error: ChunkError | null = null;

  /** Whether the last chunk and the empty line after it have arrived. */
  get done(): boolean {
    return this.#state === 'done';
  }

  /** What is malformed; null: nothing so far. After an error, nothing more is decoded. */
  get error(): ChunkError | null {
    return this.#error;
  }

  get trailerFields(): number {
    return this.#trailerFields;
  }

  /**
   * Decodes the bytes in [start, end) and passes those of the body to `sink`, as views. Returns the index after the last
   * byte used, which is before `end` only when the decoder is done or has failed.
   */
  decode(bytes: Uint8Array, start: number, end: number, sink: (part: Uint8Array) => void): number {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = start;
    while (at < end && this.#state !== 'done' && this.#state !== 'failed') {
      at = this.#state === 'bytes' ? this.#pass(bytes, at, end, sink) : this.#read(buffer, at, end);
    }
    return at;
  }

  #pass(bytes: Uint8Array, from: number, end: number, sink: (part: Uint8Array) => void): number {
    const to = Math.min(end, from + this.#left);
    this.#left -= to - from;
    if (this.#left === 0) this.#state = 'cr';
    sink(bytes.subarray(from, to));
    return to;
  }

  #read(bytes: Buffer, from: number, end: number): number {
    if (this.#state === 'cr') return this.#expect(bytes, from, CR, 'lf');
    if (this.#state === 'lf') return this.#expect(bytes, from, LF, 'size');
    const found = bytes.indexOf(LF, from);
    const to = found < 0 || found >= end ? end : found + 1;
    this.#line += bytes.toString('latin1', from, to);
    if (this.#state === 'size') this.#readSize();
    else this.#readTrailer(to - from);
    return to;
  }

  #expect(bytes: Buffer, at: number, byte: number, next: State): number {
    if (bytes[at] === byte) {
      this.#state = next;
      return at + 1;
    }
    this.#fail('chunk-end', 'a chunk does not end where its size says');
    return at;
  }

  /** A line that cannot become a size line fails at once, because its end may never arrive. */
  #readSize(): void {
    const line = this.#line;
    if (line.length > MAX_SIZE_LINE_BYTES) {
      this.#fail('chunk-extension', `a chunk extension is longer than ${MAX_EXTENSION_BYTES} bytes`);
    } else if (SIZE_LINE.test(line)) {
      this.#line = '';
      this.#left = Number.parseInt(line, 16);
      this.#state = this.#left === 0 ? 'trailer' : 'bytes';
    } else if (!SIZE_LINE_START.test(line)) {
      this.#fail('chunk-size', explainSizeLine(line));
    }
  }

  #readTrailer(bytes: number): void {
    const line = this.#line;
    this.#trailerBytes += bytes;
    if (this.#trailerBytes > MAX_TRAILER_BYTES) {
      this.#fail('trailer', `its trailer section is longer than ${MAX_TRAILER_BYTES} bytes`);
    } else if (line === '\r\n') {
      this.#state = 'done';
    } else if (line.endsWith('\n')) {
      this.#line = '';
      this.#takeTrailer(line);
    }
  }

  #takeTrailer(line: string): void {
    FIELD_LINE.lastIndex = 0;
    if (FIELD_LINE.test(line)) this.#trailerFields += 1;
    else this.#fail('trailer', `in its trailers, ${explainFieldLine(line.replace(/\r\n$/, ''))}`);
  }

  #fail(fault: ChunkFault, detail: string): void {
    this.#state = 'failed';
    this.#error = { fault, detail };
  }
}

function explainSizeLine(received: string): string {
  const line = received.replace(/\r\n$/, '');
  if (!/^[\da-f]/i.test(line)) return `a chunk size begins with ${quoted(line)}, which is not hexadecimal`;
  if (/^[\da-f]{14}/i.test(line)) return `the chunk size ${quoted(line)} is out of all measure`;
  return explainControl(line) ?? `the chunk size ${quoted(line)} is not hexadecimal`;
}
