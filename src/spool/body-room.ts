/** Where one body finds room, and how much of it: in memory, or on disk; now, later or never. */

import type { Account, Share, WaitEnd } from './budget.ts';
import { allBuffersBytes, bufferBytes } from './buffer-pool.ts';
import type { BufferPool, Segment } from './buffer-pool.ts';

const FIRST_SEGMENT_BYTES = 16 * 1024;
/** As much as one part on its way to a file is at most. */
const DISK_STEP_BYTES = 256 * 1024;
/** For what has already come of a body that waits for memory: what one read brings. */
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
  /** Null: no room on disk was asked for. */
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

  /** @param bytes how much of the body has come. Null: there is no memory for what follows, now or ever */
  memorySegment(bytes: number): Segment | null {
    const left = this.#leftBytes(bytes);
    // Room for a body of known length is taken at once: a part of it in memory would have to be moved to the file.
    if (left > 0) return this.#hasMemory() ? this.buffers.take(bufferBytes(left), left) : null;
    const grown = bufferBytes(Math.max(FIRST_SEGMENT_BYTES, bytes));
    const size = Math.min(grown, this.#limits.memoryBytes - this.#memory.heldBytes);
    return size > 0 && this.#memory.take(size) ? this.buffers.take(size) : null;
  }

  /**
   * Bodies in memory are on their way to their clients, and mostly soon gone: to wait a moment costs less than to write a
   * file and read it again. `end` is told how the wait ends. False: not for what never fits, nor where the length is unknown.
   */
  waitForMemory(bytes: number, end: (how: WaitEnd) => void): boolean {
    const { expectedBytes, memoryBytes } = this.#limits;
    if (this.#leftBytes(bytes) <= 0 || expectedBytes === null || expectedBytes > memoryBytes) return false;
    return this.#memory.takeLater(WAITING_SEGMENT_BYTES + allBuffersBytes(expectedBytes), end);
  }

  /** For what comes while the body waits for memory: nothing is taken from the budget yet. */
  waitingSegment(bytes: number): Segment {
    const left = this.#leftBytes(bytes);
    return this.buffers.take(Math.min(bufferBytes(left), WAITING_SEGMENT_BYTES), left);
  }

  /** A segment on its way to the file, for which there is room on disk, or will be. */
  fileSegment(): Segment {
    return this.buffers.takeForFile();
  }

  /**
   * Room on disk for one more segment after `bytes`. For a body of known length all of it is taken at once, so that two
   * bodies do not stop each other half-way.
   *
   * @param end is told how the wait ends, where the room is taken later
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

  /** What is still to come of a body of known length; 0: nobody knows. */
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
