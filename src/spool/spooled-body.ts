/** What a body is while it arrives, a sink, and once it is whole: it can then be read any number of times. */

import { close, read } from 'node:fs';
import type { BufferPool } from './buffer-pool.ts';

const PART_BYTES = 256 * 1024;

/** Where the bytes of a body go while they arrive: a spool, or a client that they are passed on to. */
export interface BodySink {
  /** Memory into which the next bytes may be read without a copy, never empty; null when there is none now. */
  window(): Uint8Array | null;
  /** So many bytes were read into the window that was handed out last. */
  commit(bytes: number): void;
  /** Takes a copy of `bytes`, which belong to the caller. */
  append(bytes: Uint8Array): void;
  /** True: stop reading until `whenDrained` calls back. */
  readonly congested: boolean;
  whenDrained(resume: () => void): void;
  readonly fault: SinkFault | null;
}

/** Why a sink takes no more. */
export type SinkFault =
  | { readonly kind: 'too-large'; readonly limitBytes: number }
  | { readonly kind: 'exhausted'; readonly option: string; readonly limitBytes: number }
  | { readonly kind: 'io'; readonly errorCode: string };

/** A body that arrived whole, until it is disposed of. */
export interface SpooledBody extends Disposable {
  readonly bytes: number;
  /** The whole body when it is in memory, in one or more parts; null when it is in a file. */
  readonly memory: readonly Buffer[] | null;
  /** The body from its start. A part is valid only until the next one is asked for, or no more are. */
  parts(): AsyncIterable<Buffer>;
}

/** A body in memory. `release` gives its bytes back to the budget. */
export function bodyInMemory(parts: readonly Buffer[], bytes: number, release: () => void): SpooledBody {
  return {
    bytes,
    memory: parts,
    async *parts() {
      for (const part of parts) {
        for (let from = 0; from < part.length; from += PART_BYTES)
          yield part.subarray(from, from + PART_BYTES);
      }
    },
    [Symbol.dispose]: once(release),
  };
}

/** A body in an open file without a name. `release` gives its bytes back to the budget. */
export function bodyInFile(fd: number, bytes: number, buffers: BufferPool, release: () => void): SpooledBody {
  return {
    bytes,
    memory: null,
    parts: () => fileParts(fd, bytes, buffers),
    [Symbol.dispose]: once(() => {
      close(fd, () => undefined);
      release();
    }),
  };
}

async function* fileParts(fd: number, bytes: number, buffers: BufferPool): AsyncGenerator<Buffer> {
  const buffer = buffers.takeForFile();
  try {
    for (let position = 0; position < bytes;) {
      const count = await readAt(fd, buffer.memory, position);
      if (count === 0) throw new Error(`The spool file ended at ${position} of ${bytes} bytes.`);
      yield buffer.memory.subarray(0, count);
      position += count;
    }
  } finally {
    buffer.release();
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

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    action();
  };
}
