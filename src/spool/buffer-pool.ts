/**
 * Memory for bodies that is used again and again. Fresh memory costs some microseconds for the smallest buffer, and a page
 * fault for every 4 KiB; as garbage it makes V8 collect the whole heap for every 32 MiB or so.
 */

import { performance } from 'node:perf_hooks';

const SMALLEST_BYTES = 1024;
const LARGEST_BYTES = 1024 * 1024;
/** What nobody needed for so long goes back to the system. */
const PERIOD_MS = 10_000;
/** For a part of a body on its way to or from a file: as long as there is room, and the least where there is none. */
const FILE_BYTES = 256 * 1024;
const LEAST_FILE_BYTES = 64 * 1024;

export class BufferPool {
  readonly #limitBytes: number;
  readonly #now: () => number;
  /** By size. All of it was allocated here: memory from anywhere else may belong to Node, and be in use. */
  readonly #idle = new Map<number, Buffer[]>();
  #idleBytes = 0;
  #lentBytes = 0;
  /** The least that was idle since the period began. */
  #unneededBytes = 0;
  #periodEndsMs = 0;

  /**
   * @param limitBytes how much there may be, lent and idle: of what is lent, others must see to that
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
   * Memory of this size with anything in it. Only the sizes that `bufferBytes` names are used again.
   *
   * @param usableBytes how much of it may be filled
   */
  take(bytes: number, usableBytes: number = bytes): Segment {
    const memory = this.#reused(bytes) ?? this.#allocated(bytes);
    this.#lentBytes += bytes;
    return new Segment(memory, usableBytes, this.#takeBack);
  }

  /** For a part of a body on its way to or from a file. However little memory there is, every body goes on. */
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
    // `allocUnsafe` would hand out a part of the memory that Node shares among all small buffers.
    return Buffer.allocUnsafeSlow(bytes);
  }

  #hasRoom(bytes: number): boolean {
    return this.#lentBytes + this.#idleBytes + bytes <= this.#limitBytes;
  }

  /** At the cost of what is idle in other sizes. */
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

/** The size of the buffer for so many bytes, or for the first of them: a power of two, none larger than 1 MiB. */
export function bufferBytes(bytes: number): number {
  if (bytes === 0) return 0;
  let size = SMALLEST_BYTES;
  while (size < bytes && size < LARGEST_BYTES) size *= 2;
  return size;
}

/** What the buffers for a body of this length take together. */
export function allBuffersBytes(bytes: number): number {
  const rest = bytes % LARGEST_BYTES;
  return bytes - rest + bufferBytes(rest);
}

/**
 * A part of a body on its way through memory: memory that a pool lends to one user, who fills it from its start. A new one each time, so
 * that a former user has no hold on what is now another's. There is no other way to give memory to a pool than to release this.
 */
export class Segment {
  /** Shared with nobody, until it is released. */
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

  /** What may still be written to. */
  get free(): Uint8Array {
    return this.#used === 0 ? this.#room : this.#room.subarray(this.#used);
  }

  /** `bytes` were written to the start of `free`. */
  commit(bytes: number): void {
    this.#used += bytes;
  }

  /** Copies as much as there is room for, from `from` on; returns how much that was. */
  copy(bytes: Uint8Array, from: number): number {
    const count = Math.min(this.#room.length - this.#used, bytes.length - from);
    this.#room.set(bytes.subarray(from, from + count), this.#used);
    this.#used += count;
    return count;
  }

  /** Nobody reads or writes the memory any more. Only the first call counts. */
  release(): void {
    const takeBack = this.#takeBack;
    this.#takeBack = null;
    takeBack?.(this.memory);
  }
}
