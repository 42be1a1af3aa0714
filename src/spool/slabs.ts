/**
 * Memory for bodies that is used again and again. Fresh memory costs a page fault for every 4 KiB; as garbage it makes V8
 * collect the whole heap for every 32 MiB or so.
 */

import { performance } from 'node:perf_hooks';

const SMALLEST_BYTES = 16 * 1024;
const LARGEST_BYTES = 1024 * 1024;
/** Shared with others, as Node does it for small buffers. */
const SMALL_BYTES = 4 * 1024;
/** What nobody needed for so long goes back to the system. */
const PERIOD_MS = 10_000;

export class Slabs {
  readonly #maxIdleBytes: number;
  readonly #idle = new Map<number, ArrayBufferLike[]>();
  #idleBytes = 0;
  /** The least that was idle since the period began. */
  #unneededBytes = 0;
  #periodEndsMs = 0;

  /** @param maxIdleBytes how much is kept while nobody uses it */
  constructor(maxIdleBytes: number) {
    this.#maxIdleBytes = maxIdleBytes;
    for (let bytes = LARGEST_BYTES; bytes >= SMALLEST_BYTES; bytes /= 2) this.#idle.set(bytes, []);
  }

  get idleBytes(): number {
    return this.#idleBytes;
  }

  /** Memory of this size with anything in it. Only the sizes that `slabBytes` names are used again. */
  take(bytes: number): Buffer {
    const slab = this.#idle.get(bytes)?.pop();
    if (slab === undefined)
      return bytes < SMALL_BYTES ? Buffer.allocUnsafe(bytes) : Buffer.allocUnsafeSlow(bytes);
    this.#idleBytes -= bytes;
    this.#unneededBytes = Math.min(this.#unneededBytes, this.#idleBytes);
    return Buffer.from(slab);
  }

  /**
   * Takes memory back that nobody reads or writes any more, whole or a part of it from its start.
   * @param nowMs by the monotonic clock
   */
  give({ buffer }: Buffer, nowMs: number = performance.now()): void {
    const bytes = buffer.byteLength;
    const idle = this.#idle.get(bytes);
    if (idle === undefined || this.#idleBytes + bytes > this.#maxIdleBytes) return;
    idle.push(buffer);
    this.#idleBytes += bytes;
    if (nowMs > this.#periodEndsMs) this.#trim(nowMs);
  }

  #trim(nowMs: number): void {
    const keptBytes = this.#idleBytes - this.#unneededBytes;
    for (const [bytes, idle] of this.#idle) {
      while (this.#idleBytes - bytes >= keptBytes && idle.pop() !== undefined) this.#idleBytes -= bytes;
    }
    this.#unneededBytes = this.#idleBytes;
    this.#periodEndsMs = nowMs + PERIOD_MS;
  }
}

/** The size of the slab for so many octets, or for the first of them: none is larger than 1 MiB. */
export function slabBytes(bytes: number): number {
  if (bytes <= SMALLEST_BYTES / 2) return bytes;
  let size = SMALLEST_BYTES;
  while (size < bytes && size < LARGEST_BYTES) size *= 2;
  return size;
}

/** What the slabs for a body of this length take together. */
export function slabsBytes(bytes: number): number {
  const rest = bytes % LARGEST_BYTES;
  return bytes - rest + slabBytes(rest);
}
