/** Decodes the chunked transfer coding (RFC 9112 section 7.1), incrementally and strictly. */

const MAX_LINE_OCTETS = 4096;
const MAX_TRAILER_OCTETS = 16 * 1024;
const CHUNK_SIZE = /^([0-9A-Fa-f]{1,13})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?$/;
const TRAILER_LINE = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*$/;
const LF = 0x0a;
const CR = 0x0d;

type State = 'size' | 'octets' | 'octets-end' | 'trailers' | 'done' | 'failed';

export class ChunkedDecoder {
  #state: State = 'size';
  /** Octets of the present chunk that are still to come. */
  #left = 0;
  /** The part of a line that came before its end did. */
  #line = '';
  #trailerOctets = 0;
  #trailerFields = 0;
  #error: string | null = null;

  get done(): boolean {
    return this.#state === 'done';
  }

  /** A clause for a sentence; null: all is well so far. */
  get error(): string | null {
    return this.#error;
  }

  get trailerFields(): number {
    return this.#trailerFields;
  }

  /** Gives the body's octets to `sink` as views. Returns the index behind the last octet that it used. */
  decode(bytes: Uint8Array, start: number, end: number, sink: (part: Uint8Array) => void): number {
    let at = start;
    while (at < end && this.#state !== 'done' && this.#state !== 'failed') {
      if (this.#state === 'octets') {
        const to = Math.min(end, at + this.#left);
        sink(bytes.subarray(at, to));
        this.#left -= to - at;
        if (this.#left === 0) this.#state = 'octets-end';
        at = to;
      } else {
        at = this.#readLine(bytes, at, end);
      }
    }
    return at;
  }

  #readLine(bytes: Uint8Array, from: number, end: number): number {
    const found = bytes.indexOf(LF, from);
    const lineEnd = found < 0 || found >= end ? end : found + 1;
    this.#line += Buffer.from(bytes.buffer, bytes.byteOffset + from, lineEnd - from).toString('latin1');
    if (this.#line.length > MAX_LINE_OCTETS) this.#fail('a line of its chunked framing is too long');
    else if (this.#line.endsWith('\n')) this.#takeLine();
    else this.#checkStart();
    return lineEnd;
  }

  #takeLine(): void {
    const line = this.#line;
    this.#line = '';
    if (line.charCodeAt(line.length - 2) !== CR) this.#fail('a line of its chunked framing ends without CR');
    else this.#takeContent(line.slice(0, -2));
  }

  #takeContent(line: string): void {
    if (this.#state === 'octets-end') {
      if (line === '') this.#state = 'size';
      else this.#fail('a chunk is longer than its size says');
    } else if (this.#state === 'size') {
      this.#takeSize(line);
    } else {
      this.#takeTrailer(line);
    }
  }

  #takeSize(line: string): void {
    const size = CHUNK_SIZE.exec(line)?.[1];
    if (size === undefined) {
      this.#fail(`a chunk size is ${JSON.stringify(line.slice(0, 60))}`);
      return;
    }
    this.#left = Number.parseInt(size, 16);
    this.#state = this.#left === 0 ? 'trailers' : 'octets';
  }

  #takeTrailer(line: string): void {
    this.#trailerOctets += line.length + 2;
    if (line === '') this.#state = 'done';
    else if (this.#trailerOctets > MAX_TRAILER_OCTETS) this.#fail('its trailers are too large');
    else if (TRAILER_LINE.test(line)) this.#trailerFields += 1;
    else this.#fail(`a trailer is ${JSON.stringify(line.slice(0, 60))}`);
  }

  /** What can be no line of its kind is refused at once, not when its end comes. */
  #checkStart(): void {
    const [first = ''] = this.#line;
    if (this.#state === 'octets-end' && first !== '\r') this.#fail('a chunk is longer than its size says');
    if (this.#state === 'size' && first !== '' && !/[0-9A-Fa-f]/.test(first))
      this.#fail('a chunk size does not begin with a digit');
  }

  #fail(why: string): void {
    this.#state = 'failed';
    this.#error = why;
  }
}
