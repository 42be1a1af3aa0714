/** Parses one response: heads, then the body by its framing, and counts surplus bytes after it. */

import { ChunkedDecoder } from '../http/chunked.ts';
import { responseFraming } from '../http/framing.ts';
import type { Framing } from '../http/framing.ts';
import { findHeadEnd, parseResponseHead } from '../http/response-head.ts';
import type { ResponseHead } from '../http/response-head.ts';
import type { BodySink } from '../spool/spooled-body.ts';
import { headTooLarge, MESSAGE_END, notHttp, sinkFault, UNASKED_SWITCH } from './evidence.ts';
import type { Ending } from './evidence.ts';

/** Called with what arrives, during a read, so no method may throw. */
export interface ResponseObserver {
  /** An interim response (RFC 9110 section 15.2). */
  interim(head: ResponseHead): void;
  /** The final head. Returns where the body goes. */
  head(head: ResponseHead, framing: Framing): BodySink;
  /** The message has ended, or cannot continue. Called once. */
  messageEnded(ending: Ending): void;
}

/** A head that arrives in parts is copied in pieces of this size, so that little of the body after it is copied. */
const HEAD_PIECE_BYTES = 2048;

export class ResponseReader {
  readonly #method: string;
  readonly #maxHeaderBytes: number;
  readonly #observer: ResponseObserver;
  /** The start of a head whose end has not arrived yet. */
  #headStart: HeadStart | null = null;
  #sink: BodySink | null = null;
  #chunked: ChunkedDecoder | null = null;
  #window: Uint8Array | null = null;
  #ended = false;

  head: ResponseHead | null = null;
  framing: Framing | null = null;
  /** Bytes of the head, or of the part that arrived. */
  headBytes = 0;
  /** Bytes of the interim heads before it. */
  interimBytes = 0;
  bodyBytes = 0;
  /** Number of reads that contained a part of the body. */
  bodyParts = 0;
  surplusBytes = 0;

  constructor(method: string, maxHeaderBytes: number, observer: ResponseObserver) {
    this.#method = method;
    this.#maxHeaderBytes = maxHeaderBytes;
    this.#observer = observer;
  }

  get trailerFields(): number {
    return this.#chunked?.trailerFields ?? 0;
  }

  get sink(): BodySink | null {
    return this.#sink;
  }

  /** Memory into which body bytes can be read without a copy; not longer than the rest of the body. */
  window(): Uint8Array | null {
    this.#window = this.#ended ? null : this.#bodyWindow();
    return this.#window;
  }

  /** Processes `count` bytes at the start of `buffer`. */
  read(buffer: Uint8Array, count: number): void {
    if (this.#ended) {
      this.surplusBytes += count;
    } else if (buffer === this.#window && this.#sink !== null) {
      this.#sink.commit(count);
      this.bodyBytes += count;
      this.bodyParts += 1;
      this.#checkSink(this.#sink);
      this.#checkLength();
    } else {
      this.#readBytes(Buffer.from(buffer.buffer, buffer.byteOffset, count), 0);
    }
  }

  /** Checks for a fault of the sink that occurred between reads. */
  check(): void {
    if (this.#sink !== null) this.#checkSink(this.#sink);
  }

  /** Call when no more bytes will arrive. */
  end(ending: Ending): void {
    this.#finish(ending);
  }

  #bodyWindow(): Uint8Array | null {
    const sink = this.#sink;
    if (sink === null || this.framing === null) return null;
    if (this.framing.kind === 'close') return sink.window();
    if (this.framing.kind !== 'length') return null;
    const left = this.framing.length - this.bodyBytes;
    const window = left > 0 ? sink.window() : null;
    return window !== null && window.length > left ? window.subarray(0, left) : window;
  }

  #readBytes(bytes: Buffer, from: number): void {
    let at = from;
    while (!this.#ended && at < bytes.length) {
      at = this.#sink === null ? this.#readHead(bytes, at) : this.#readBody(bytes, at, this.#sink);
    }
    if (this.#ended) this.surplusBytes += bytes.length - at;
  }

  /** Returns the index after what it used. */
  #readHead(bytes: Buffer, from: number): number {
    const before = this.#headStart;
    const knownBytes = before?.bytes ?? 0;
    const to = before === null ? bytes.length : Math.min(bytes.length, from + HEAD_PIECE_BYTES);
    const all = before === null ? bytes : before.with(bytes.subarray(from, to));
    const start = before === null ? from : 0;
    const end = findHeadEnd(all, before === null ? from : knownBytes, all.length);
    const length = (end < 0 ? all.length : end) - start;
    this.headBytes += length - knownBytes;
    if (this.interimBytes + this.headBytes > this.#maxHeaderBytes) {
      this.#finish(headTooLarge(this.#maxHeaderBytes));
    } else if (end < 0) {
      this.#headStart ??= new HeadStart(bytes.subarray(from));
      this.#refuseOtherProtocols(all, start);
    } else {
      this.#headStart = null;
      this.#takeHead(all, start, end);
    }
    if (end < 0) return this.#ended ? bytes.length : to;
    return from + length - knownBytes;
  }

  /** Fails at once on bytes that are not HTTP: the end of a head may never arrive. */
  #refuseOtherProtocols(bytes: Buffer, start: number): void {
    const begin = bytes.toString('latin1', start, Math.min(start + 5, bytes.length));
    if ('HTTP/'.startsWith(begin)) return;
    this.#finish(notHttp('not-http', `it does not begin with HTTP/1.1 but with ${JSON.stringify(begin)}`));
  }

  #takeHead(bytes: Buffer, start: number, end: number): void {
    const parsed = parseResponseHead(bytes, start, end);
    if (parsed.kind === 'malformed') {
      this.#finish(notHttp('head', parsed.why));
      return;
    }
    const { head } = parsed;
    if (head.status === 101) {
      this.#finish(UNASKED_SWITCH);
      return;
    }
    if (head.status < 200) {
      this.interimBytes += this.headBytes;
      this.headBytes = 0;
      this.#observer.interim(head);
      return;
    }
    const result = responseFraming(this.#method, head);
    if (result.kind === 'malformed') {
      this.head = head;
      this.#finish(notHttp(result.coding ? 'coding' : 'length', result.why));
    } else {
      this.#beginBody(head, result.framing);
    }
  }

  #beginBody(head: ResponseHead, framing: Framing): void {
    this.head = head;
    this.framing = framing;
    if (framing.kind === 'chunked') this.#chunked = new ChunkedDecoder();
    const sink = this.#observer.head(head, framing);
    this.#sink = sink;
    this.#checkSink(sink);
    if (framing.kind === 'none') this.#finish(MESSAGE_END);
    else this.#checkLength();
  }

  /** Returns the index after what it used. */
  #readBody(bytes: Buffer, from: number, sink: BodySink): number {
    if (this.#chunked !== null) return this.#readChunks(this.#chunked, bytes, from, sink);
    const left = this.framing?.kind === 'length' ? this.framing.length - this.bodyBytes : Infinity;
    const to = Math.min(bytes.length, from + left);
    sink.append(bytes.subarray(from, to));
    this.bodyBytes += to - from;
    this.bodyParts += 1;
    this.#checkSink(sink);
    this.#checkLength();
    return to;
  }

  #readChunks(decoder: ChunkedDecoder, bytes: Buffer, from: number, sink: BodySink): number {
    const before = this.bodyBytes;
    const used = decoder.decode(bytes, from, bytes.length, (part: Uint8Array) => {
      sink.append(part);
      this.bodyBytes += part.length;
    });
    if (this.bodyBytes > before) this.bodyParts += 1;
    this.#checkSink(sink);
    if (decoder.error !== null) this.#finish(notHttp(decoder.error.fault, decoder.error.detail));
    else if (decoder.done) this.#finish(MESSAGE_END);
    return decoder.error === null ? used : bytes.length;
  }

  #checkLength(): void {
    if (this.framing?.kind === 'length' && this.bodyBytes === this.framing.length) {
      this.#finish(MESSAGE_END);
    }
  }

  #checkSink(sink: BodySink): void {
    if (sink.fault !== null) this.#finish(sinkFault(sink.fault));
  }

  #finish(ending: Ending): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#observer.messageEnded(ending);
  }
}

/** The start of a head, in memory that doubles as it grows, so that a head that arrives byte by byte is not copied for each byte. */
class HeadStart {
  #memory: Buffer;
  #bytes: number;

  constructor(start: Buffer) {
    this.#memory = Buffer.from(start);
    this.#bytes = start.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Appends the next bytes; returns the whole start, valid until the next call. */
  with(next: Buffer): Buffer {
    const bytes = this.#bytes + next.length;
    if (bytes > this.#memory.length) {
      const larger = Buffer.allocUnsafeSlow(2 * bytes);
      this.#memory.copy(larger, 0, 0, this.#bytes);
      this.#memory = larger;
    }
    next.copy(this.#memory, this.#bytes);
    this.#bytes = bytes;
    return this.#memory.subarray(0, bytes);
  }
}
