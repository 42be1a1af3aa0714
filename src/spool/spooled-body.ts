/** A body that arrived whole: can be read any number of times, until it is disposed of. */

import { close, read } from 'node:fs';
import type { BufferPool } from './buffer-pool.ts';

const PART_BYTES = 256 * 1024;

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
  const buffer = buffers.take(PART_BYTES);
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
