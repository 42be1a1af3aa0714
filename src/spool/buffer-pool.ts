/**
 * A pool of reusable memory for bodies. New memory costs some microseconds for the smallest buffer, and a page fault for
 * every 4 KiB; as garbage, it makes V8 collect the whole heap about every 32 MiB.
 */

import { performance } from 'node:perf_hooks';

const SMALLEST_BYTES = 1024;
const LARGEST_BYTES = 1024 * 1024;
/** Memory that was not needed for this long is returned to the system. */
const PERIOD_MS = 10_000;
/** Segment size for writing and reading files: the larger while there is room, otherwise the smaller. */
const FILE_BYTES = 256 * 1024;
const LEAST_FILE_BYTES = 64 * 1024;

export class BufferPool {
  readonly #limitBytes: number;
  readonly #now: () => number;
  /** By size. Allocated only here: other memory may be in Node's shared pool, and in use. */
  readonly #idle = new Map<number, Buffer[]>();
  #idleBytes = 0;
  #lentBytes = 0;
  /** The minimum of `#idleBytes` since the period began. */
  #unneededBytes = 0;
  #periodEndsMs = 0;

  /**
   * @param limitBytes limit of lent and idle memory together; lent memory is limited by the budget, not here
   * @param now the monotonic clock, in ms
   */
  constructor(limitBytes: number, now: () => number = () => performance.now()) {
    this.#limitBytes = limitBytes;
    this.#now = now;
    for (let bytes = LARGEST_BYTES; bytes >= SMALLEST_BYTES; bytes /= 2) this.#idle.set(bytes, []);
  }

  get idleBytes(): number {
    return this.#idleBytes;
  }

  /**
   * Uninitialized memory of this size. Only the sizes that `bufferBytes` returns are reused.
   *
   * @param usableBytes how much of it may be filled
   */
  take(bytes: number, usableBytes: number = bytes): Segment {
    const memory = this.#reused(bytes) ?? this.#allocated(bytes);
    this.#lentBytes += bytes;
    return new Segment(memory, usableBytes, this.#takeBack);
  }

  /** For writing and reading files. Never fails, so that every body makes progress even when memory is short. */
  takeForFile(): Segment {
    const isRoom = this.#lentBytes + FILE_BYTES <= this.#limitBytes;
    return this.take(isRoom ? FILE_BYTES : LEAST_FILE_BYTES);
  }

  #reused(bytes: number): Buffer | null {
    const memory = this.#idle.get(bytes)?.pop();
    if (memory === undefined) return null;
    this.#idleBytes -= bytes;
    this.#unneededBytes = Math.min(this.#unneededBytes, this.#idleBytes);
    return memory;
  }

  #allocated(bytes: number): Buffer {
    if (!this.#hasRoom(bytes)) this.#makeRoom(bytes);
    // `allocUnsafe` would return a slice of the memory that Node shares among all small buffers.
    return Buffer.allocUnsafeSlow(bytes);
  }

  #hasRoom(bytes: number): boolean {
    return this.#lentBytes + this.#idleBytes + bytes <= this.#limitBytes;
  }

  /** Frees idle buffers of other sizes. */
  #makeRoom(bytes: number): void {
    for (const [size, idle] of this.#idle) {
      while (!this.#hasRoom(bytes) && idle.pop() !== undefined) this.#idleBytes -= size;
    }
    this.#unneededBytes = Math.min(this.#unneededBytes, this.#idleBytes);
  }

  readonly #takeBack = (memory: Buffer): void => {
    const bytes = memory.length;
    this.#lentBytes -= bytes;
    const idle = this.#idle.get(bytes);
    if (idle === undefined || !this.#hasRoom(bytes)) return;
    idle.push(memory);
    this.#idleBytes += bytes;
    const nowMs = this.#now();
    if (nowMs > this.#periodEndsMs) this.#trim(nowMs);
  };

  #trim(nowMs: number): void {
    const keptBytes = this.#idleBytes - this.#unneededBytes;
    for (const [bytes, idle] of this.#idle) {
      while (this.#idleBytes - bytes >= keptBytes && idle.pop() !== undefined) this.#idleBytes -= bytes;
    }
    this.#unneededBytes = this.#idleBytes;
    this.#periodEndsMs = nowMs + PERIOD_MS;
  }
}

/** The size of the buffer for this many bytes, or for the first of them: a power of two, at most 1 MiB. */
export function bufferBytes(bytes: number): number {
  if (bytes === 0) return 0;
  let size = SMALLEST_BYTES;
  while (size < bytes && size < LARGEST_BYTES) size *= 2;
  return size;
}

/** Total size of the buffers for a body of this length. */
export function allBuffersBytes(bytes: number): number {
  const rest = bytes % LARGEST_BYTES;
  return bytes - rest + bufferBytes(rest);
}

/**
 * A part of a body, in memory that a pool lends to one user, who fills it from its start. A new object each time, so that
 * a former user cannot touch memory that is now another's. Memory returns to a pool only by releasing its segment.
 */
export class Segment {
  /** Not shared until it is released. */
  readonly memory: Buffer;
  readonly #room: Buffer;
  #used = 0;
  #takeBack: ((memory: Buffer) => void) | null;

  constructor(memory: Buffer, usableBytes: number, takeBack: (memory: Buffer) => void) {
    this.memory = memory;
    this.#room = memory.length <= usableBytes ? memory : memory.subarray(0, usableBytes);
    this.#takeBack = takeBack;
  }

  get used(): number {
    return this.#used;
  }

  get isFull(): boolean {
    return this.#used === this.#room.length;
  }

  get filled(): Buffer {
    return this.isFull ? this.#room : this.#room.subarray(0, this.#used);
  }

  /** The part that can still be written to. */
  get free(): Uint8Array {
    return this.#used === 0 ? this.#room : this.#room.subarray(this.#used);
  }

  /** `bytes` were written to the start of `free`. */
  commit(bytes: number): void {
    this.#used += bytes;
  }

  /** Copies as many bytes from `from` on as fit; returns how many. */
  copy(bytes: Uint8Array, from: number): number {
    const count = Math.min(this.#room.length - this.#used, bytes.length - from);
    this.#room.set(bytes.subarray(from, from + count), this.#used);
    this.#used += count;
    return count;
  }

  /** Returns the memory to the pool. Call when nothing reads or writes it any more; only the first call has an effect. */
  release(): void {
    const takeBack = this.#takeBack;
    this.#takeBack = null;
    takeBack?.(this.memory);
  }
}
