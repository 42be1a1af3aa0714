/** A part of a body on its way through memory: a pooled buffer that fills up from its start. */

import type { PooledBuffer } from './buffer-pool.ts';

export class Segment {
  readonly #buffer: PooledBuffer;
  readonly #room: Buffer;
  #used = 0;

  /** @param bytes how much of the buffer may be filled */
  constructor(buffer: PooledBuffer, bytes: number) {
    this.#buffer = buffer;
    this.#room = buffer.memory.length <= bytes ? buffer.memory : buffer.memory.subarray(0, bytes);
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

  release(): void {
    this.#buffer.release();
  }
}
