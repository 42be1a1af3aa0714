/** Reserves memory or disk space for one body: now, later or never. */

import type { Account, Share, WaitEnd } from './budget.ts';
import { allBuffersBytes, bufferBytes } from './buffer-pool.ts';
import type { BufferPool, Segment } from './buffer-pool.ts';

const FIRST_SEGMENT_BYTES = 16 * 1024;
/** The size of the largest segment that is written to a file. */
const DISK_STEP_BYTES = 256 * 1024;
/** For bytes that arrive while a body waits for memory: the size of one read. */
const WAITING_SEGMENT_BYTES = 64 * 1024;

/** What the bodies of one exchange share. */
export interface SpoolRoom {
  readonly memory: Account;
  readonly disk: Account;
  readonly buffers: BufferPool;
  readonly openFile: () => number;
}

export interface BodyLimits {
  readonly expectedBytes: number | null;
  readonly memoryBytes: number;
  readonly maxBytes: number;
}

export class BodyRoom {
  readonly #limits: BodyLimits;
  readonly #memory: Share;
  readonly #diskAccount: Account;
  /** Null: no disk space has been requested. */
  #disk: Share | null = null;
  readonly buffers: BufferPool;

  constructor({ memory, disk, buffers }: SpoolRoom, limits: BodyLimits) {
    this.#limits = limits;
    this.#memory = memory.share();
    this.#diskAccount = disk;
    this.buffers = buffers;
  }

  get diskLimitBytes(): number {
    return this.#diskAccount.limitBytes;
  }

  /** @param bytes how much of the body has arrived. Null: there is no memory for more at present */
  memorySegment(bytes: number): Segment | null {
    const left = this.#leftBytes(bytes);
    // A body of known length reserves all its memory at once: a part in memory would have to be moved to the file.
    if (left > 0) return this.#hasMemory() ? this.buffers.take(bufferBytes(left), left) : null;
    const grown = bufferBytes(Math.max(FIRST_SEGMENT_BYTES, bytes));
    const size = Math.min(grown, this.#limits.memoryBytes - this.#memory.heldBytes);
    return size > 0 && this.#memory.take(size) ? this.buffers.take(size) : null;
  }

  /**
   * Most bodies in memory are delivered soon, so a short wait costs less than writing a file and reading it back. Calls
   * `end` when the wait ends. False: no wait, because the length is unknown or can never fit.
   */
  waitForMemory(bytes: number, end: (how: WaitEnd) => void): boolean {
    const { expectedBytes, memoryBytes } = this.#limits;
    if (this.#leftBytes(bytes) <= 0 || expectedBytes === null || expectedBytes > memoryBytes) return false;
    return this.#memory.takeLater(WAITING_SEGMENT_BYTES + allBuffersBytes(expectedBytes), end);
  }

  /** For bytes that arrive while the body waits for memory: they do not count against the budget yet. */
  waitingSegment(bytes: number): Segment {
    const left = this.#leftBytes(bytes);
    return this.buffers.take(Math.min(bufferBytes(left), WAITING_SEGMENT_BYTES), left);
  }

  /** A segment to be written to the file, for which disk space is reserved or waited for. */
  fileSegment(): Segment {
    return this.buffers.takeForFile();
  }

  /**
   * Reserves disk space for one more segment after `bytes`. A body of known length reserves all its space at once, so that
   * two bodies do not block each other half-way.
   *
   * @param end called when the wait ends, if the result is `later`
   */
  takeDisk(bytes: number, end: (how: WaitEnd) => void): 'now' | 'later' | 'never' {
    const neededBytes = this.#limits.expectedBytes ?? bytes + DISK_STEP_BYTES;
    const disk = (this.#disk ??= this.#diskAccount.share());
    const missing = neededBytes - disk.heldBytes;
    if (missing <= 0 || disk.take(missing)) return 'now';
    return disk.takeLater(missing, end) ? 'later' : 'never';
  }

  stopWaiting(): void {
    this.#memory.stopWaiting();
    this.#disk?.stopWaiting();
  }

  releaseMemory(): void {
    this.#memory.release();
  }

  release(): void {
    this.#memory.release();
    this.#disk?.release();
  }

  /** Bytes of a body of known length that have not arrived yet; 0: the length is unknown. */
  #leftBytes(bytes: number): number {
    const { expectedBytes } = this.#limits;
    return expectedBytes === null ? 0 : expectedBytes - bytes;
  }

  #hasMemory(): boolean {
    if (this.#memory.heldBytes > 0) return true;
    const { expectedBytes, memoryBytes } = this.#limits;
    if (expectedBytes === null || expectedBytes > memoryBytes) return false;
    return this.#memory.take(allBuffersBytes(expectedBytes));
  }
}
