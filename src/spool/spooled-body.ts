/** The interfaces of a body while it arrives (a sink) and when it is complete (readable any number of times). */

import { close, read } from 'node:fs';
import type { BufferPool } from './buffer-pool.ts';

const PART_BYTES = 256 * 1024;

/** Where the bytes of a body go as they arrive: a spool, or the client. */
export interface BodySink {
  /** Memory into which the next bytes may be read without a copy, never empty; null: none is available now. */
  window(): Uint8Array | null;
  /** Call after `bytes` bytes were read into the last window. */
  commit(bytes: number): void;
  /** Takes a copy of `bytes`, which belong to the caller. */
  append(bytes: Uint8Array): void;
  /** True: stop reading until `whenDrained` calls back. */
  readonly congested: boolean;
  whenDrained(resume: () => void): void;
  readonly fault: SinkFault | null;
}

/** Why a sink accepts no more. */
export type SinkFault =
  | { readonly kind: 'too-large'; readonly limitBytes: number }
  | { readonly kind: 'exhausted'; readonly option: string; readonly limitBytes: number }
  | { readonly kind: 'io'; readonly errorCode: string };

/** A complete body, until it is disposed of. */
export interface SpooledBody extends Disposable {
  readonly bytes: number;
  /** The whole body when it is in memory, in one or more parts; null when it is in a file. */
  readonly memory: readonly Buffer[] | null;
  /** The body from its start. A part is valid only until the next one is requested or the iteration ends. */
  parts(): AsyncIterable<Buffer>;
}

/** Releases a body's memory or file, once. */
abstract class HeldBody implements SpooledBody {
  readonly bytes: number;
  #release: (() => void) | null;
  abstract readonly memory: readonly Buffer[] | null;

  constructor(bytes: number, release: () => void) {
    this.bytes = bytes;
    this.#release = release;
  }

  abstract parts(): AsyncIterable<Buffer>;

  [Symbol.dispose](): void {
    const release = this.#release;
    this.#release = null;
    release?.();
  }
}

export class BodyInMemory extends HeldBody {
  readonly memory: readonly Buffer[];

  constructor(memory: readonly Buffer[], bytes: number, release: () => void) {
    super(bytes, release);
    this.memory = memory;
  }

  async *parts(): AsyncGenerator<Buffer> {
    for (const part of this.memory) {
      for (let from = 0; from < part.length; from += PART_BYTES) yield part.subarray(from, from + PART_BYTES);
    }
  }
}

/** In an open file without a name. */
export class BodyInFile extends HeldBody {
  readonly memory: null = null;
  readonly #fd: number;
  readonly #buffers: BufferPool;

  constructor(fd: number, bytes: number, buffers: BufferPool, release: () => void) {
    super(bytes, () => {
      close(fd, () => undefined);
      release();
    });
    this.#fd = fd;
    this.#buffers = buffers;
  }

  async *parts(): AsyncGenerator<Buffer> {
    const buffer = this.#buffers.takeForFile();
    try {
      for (let position = 0; position < this.bytes;) {
        const count = await readAt(this.#fd, buffer.memory, position);
        if (count === 0) throw new Error(`The spool file ended at ${position} of ${this.bytes} bytes.`);
        yield buffer.memory.subarray(0, count);
        position += count;
      }
    } finally {
      buffer.release();
    }
  }
}

function readAt(fd: number, buffer: Buffer, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, buffer, 0, buffer.length, position, (error, count) => {
      if (error === null) resolve(count);
      else reject(error);
    });
  });
}
