/** Takes a body as it arrives: into memory, then, when it grows too large for that, into a file. */

import { close, write } from 'node:fs';
import type { BodySink, SinkFault } from './body-sink.ts';
import type { Account, Share } from './budget.ts';
import { allBuffersBytes, bufferBytes } from './buffer-pool.ts';
import type { BufferPool } from './buffer-pool.ts';
import { Segment } from './segment.ts';
import { bodyInFile, bodyInMemory } from './spooled-body.ts';
import type { SpooledBody } from './spooled-body.ts';

const FIRST_SEGMENT_BYTES = 16 * 1024;
const FILE_SEGMENT_BYTES = 256 * 1024;
/** For what has already come of a body that waits for memory: what one read brings. */
const WAITING_SEGMENT_BYTES = 64 * 1024;

/** Where the bodies of one exchange find room. */
export interface SpoolRoom {
  readonly memory: Account;
  readonly disk: Account;
  readonly buffers: BufferPool;
  readonly openFile: () => number;
}

interface BodyLimits {
  readonly expectedBytes: number | null;
  readonly memoryBytes: number;
  readonly maxBytes: number;
}

export class SpoolWriter implements BodySink, Disposable {
  readonly #room: SpoolRoom;
  readonly #limits: BodyLimits;
  /** Full segments: in memory all of them, with a file those that wait to be written. */
  #segments: Segment[] = [];
  #segment: Segment | null = null;
  #bytes = 0;
  readonly #memory: Share;
  readonly #disk: Share;
  /** Octets for which there are segments of the file, also those that are still to be written. */
  #fileBytes = 0;
  /** The budget in which it waits for room. */
  #waitsFor: 'memory' | 'disk' | null = null;
  #hasWaitedForMemory = false;
  #fd: number | null = null;
  #writing: Segment | null = null;
  #filePosition = 0;
  #fault: SinkFault | null = null;
  #onDrained: (() => void) | null = null;
  #closed = false;

  constructor(room: SpoolRoom, limits: BodyLimits) {
    this.#room = room;
    this.#limits = limits;
    const { expectedBytes, maxBytes } = limits;
    this.#memory = room.memory.share();
    this.#disk = room.disk.share();
    if (expectedBytes !== null && expectedBytes > maxBytes)
      this.#fault = { kind: 'too-large', limitBytes: maxBytes };
  }

  get bytes(): number {
    return this.#bytes;
  }

  get fault(): SinkFault | null {
    return this.#fault;
  }

  /** It waits for room; or, with a file, one segment is being written and the other is full. */
  get congested(): boolean {
    return this.#waitsFor !== null || (this.#segments.length > 0 && this.#writing !== null);
  }

  whenDrained(resume: () => void): void {
    this.#onDrained = resume;
  }

  window(): Uint8Array | null {
    if (this.#fault !== null || this.congested) return null;
    return this.#segmentWithRoom()?.free ?? null;
  }

  commit(bytes: number): void {
    this.#segment?.commit(bytes);
    this.#count(bytes);
  }

  append(octets: Uint8Array): void {
    let from = 0;
    while (from < octets.length && this.#fault === null) {
      const segment = this.#segmentWithRoom();
      if (segment === null) return;
      const count = segment.copy(octets, from);
      from += count;
      this.#count(count);
    }
  }

  /** The body, if all of it is in memory: then there is nothing to wait for, and the writer is spent. */
  finishAtOnce(): SpooledBody | null {
    if (this.#fd !== null || this.#fault !== null || this.#waitsFor !== null) return null;
    this.#closed = true;
    return this.#memoryBody();
  }

  /** The body, once all of it is in memory or on disk; a fault where that failed. The writer is then spent. */
  async finish(): Promise<SpooledBody | SinkFault> {
    if (this.#waitsFor === 'memory') this.#openFile();
    this.#waitsFor = null;
    this.#memory.stopWaiting();
    this.#disk.stopWaiting();
    if (this.#fd !== null) await this.#flush();
    if (this.#fault !== null) {
      this[Symbol.dispose]();
      return this.#fault;
    }
    this.#closed = true;
    return this.#fd === null ? this.#memoryBody() : this.#fileBody(this.#fd);
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const segment of this.#segments) segment.release();
    this.#segment?.release();
    this.#segments = [];
    this.#segment = null;
    this.#release();
    if (this.#fd !== null && this.#writing === null) close(this.#fd, () => undefined);
    this.#onDrained = null;
  }

  #memoryBody(): SpooledBody {
    const segments = this.#segments;
    if (this.#segment !== null) segments.push(this.#segment);
    const parts = segments.filter(({ used }) => used > 0).map(({ filled }) => filled);
    return bodyInMemory(parts, this.#bytes, () => {
      for (const segment of segments) segment.release();
      this.#release();
    });
  }

  #fileBody(fd: number): SpooledBody {
    this.#memory.release();
    return bodyInFile(fd, this.#bytes, this.#room.buffers, () => this.#release());
  }

  #release(): void {
    this.#memory.release();
    this.#disk.release();
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > this.#limits.maxBytes) {
      this.#fault = { kind: 'too-large', limitBytes: this.#limits.maxBytes };
    }
  }

  /** A segment with room, or null with a fault set. */
  #segmentWithRoom(): Segment | null {
    if (this.#segment?.isFull === false) return this.#segment;
    if (this.#segment !== null) this.#segments.push(this.#segment);
    this.#segment = null;
    if (this.#fd === null) {
      this.#segment = this.#memorySegment();
      if (this.#segment === null) this.#openFile();
    }
    if (this.#fd !== null && this.#fault === null) {
      this.#writeNext();
      this.#segment = this.#fileSegment();
    }
    return this.#segment;
  }

  #memorySegment(): Segment | null {
    const { expectedBytes, memoryBytes } = this.#limits;
    const { buffers } = this.#room;
    const left = expectedBytes === null ? 0 : expectedBytes - this.#bytes;
    if (left > 0) {
      if (this.#hasMemoryFor(expectedBytes ?? 0)) return new Segment(buffers.take(bufferBytes(left)), left);
      if (!this.#waitsForMemory(expectedBytes ?? 0)) return null;
      return new Segment(buffers.take(Math.min(bufferBytes(left), WAITING_SEGMENT_BYTES)), left);
    }
    const grown = bufferBytes(Math.max(FIRST_SEGMENT_BYTES, this.#bytes));
    const size = Math.min(grown, memoryBytes - this.#memory.heldBytes);
    return size > 0 && this.#memory.take(size) ? new Segment(buffers.take(size), size) : null;
  }

  /** Room for a body of known length is taken at once: a part of it in memory would have to be moved to the file. */
  #hasMemoryFor(expectedBytes: number): boolean {
    if (this.#memory.heldBytes > 0) return true;
    return expectedBytes <= this.#limits.memoryBytes && this.#memory.take(allBuffersBytes(expectedBytes));
  }

  /**
   * Bodies in memory are on their way to their clients, and mostly soon gone: to wait a moment costs less than to write a
   * file and read it again. Once, and not for what never fits.
   */
  #waitsForMemory(expectedBytes: number): boolean {
    if (this.#waitsFor === 'memory') return true;
    if (this.#hasWaitedForMemory || expectedBytes > this.#limits.memoryBytes) return false;
    this.#hasWaitedForMemory = true;
    const neededBytes = WAITING_SEGMENT_BYTES + allBuffersBytes(expectedBytes);
    const mayWait = this.#memory.takeLater(neededBytes, (how) => {
      this.#waitsFor = null;
      if (how === 'refused') this.#openFile();
      this.#goOn();
    });
    if (mayWait) this.#waitsFor = 'memory';
    return mayWait;
  }

  #fileSegment(): Segment | null {
    this.#fileBytes += FILE_SEGMENT_BYTES;
    this.#reserveDisk();
    if (this.#fault !== null) return null;
    return new Segment(this.#room.buffers.take(FILE_SEGMENT_BYTES), FILE_SEGMENT_BYTES);
  }

  /**
   * Room for a body of known length is taken at once, so that two bodies do not stop each other half-way. While it waits,
   * the octets that have already come go on into one segment.
   */
  #reserveDisk(): void {
    const { expectedBytes } = this.#limits;
    const { disk } = this.#room;
    const missing = Math.max(this.#fileBytes, expectedBytes ?? 0) - this.#disk.heldBytes;
    if (this.#waitsFor === 'disk' || missing <= 0 || this.#disk.take(missing)) return;
    const mayWait = this.#disk.takeLater(missing, (how) => {
      this.#waitsFor = null;
      if (how === 'refused') this.#exhausted(disk);
      this.#goOn();
    });
    if (mayWait) this.#waitsFor = 'disk';
    else this.#exhausted(disk);
  }

  #exhausted({ limitBytes }: Account): void {
    this.#fault = { kind: 'exhausted', option: 'disk-total', limitBytes };
  }

  #openFile(): void {
    try {
      this.#fd = this.#room.openFile();
    } catch (error) {
      this.#fault = { kind: 'io', errorCode: errorCodeOf(error) };
    }
  }

  /** Starts writing the oldest full segment, unless one is being written. */
  #writeNext(): void {
    if (this.#writing !== null || this.#fd === null) return;
    const segment = this.#segments.shift();
    if (segment === undefined) return;
    this.#writing = segment;
    this.#writeRest(this.#fd, segment, 0);
  }

  #writeRest(fd: number, segment: Segment, from: number): void {
    write(fd, segment.filled, from, segment.used - from, this.#filePosition, (error, count) => {
      if (this.#closed) {
        segment.release();
        close(fd, () => undefined);
        return;
      }
      if (error !== null) {
        this.#fault = { kind: 'io', errorCode: errorCodeOf(error) };
      } else {
        this.#filePosition += count;
        if (from + count < segment.used) {
          this.#writeRest(fd, segment, from + count);
          return;
        }
      }
      this.#written(segment);
    });
  }

  #written(segment: Segment): void {
    this.#writing = null;
    segment.release();
    if (this.#fault === null) this.#writeNext();
    this.#goOn();
  }

  /** Tells the one that waits for this writer, if there is nothing to wait for any more. */
  #goOn(): void {
    if (this.congested && this.#fault === null) return;
    const resume = this.#onDrained;
    this.#onDrained = null;
    resume?.();
  }

  async #flush(): Promise<void> {
    if (this.#segment !== null && this.#segment.used > 0) this.#segments.push(this.#segment);
    else this.#segment?.release();
    this.#segment = null;
    this.#writeNext();
    while (this.#writing !== null && this.#fault === null) {
      await new Promise<void>((resolve) => {
        this.#onDrained = resolve;
      });
    }
  }
}

function errorCodeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'EIO';
}
