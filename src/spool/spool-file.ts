/** A file for a body too large for memory, and the segments on their way into it. It has lost its name before it is used. */

import { close, closeSync, mkdtempSync, openSync, rmdirSync, unlinkSync, write } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Segment } from './buffer-pool.ts';
import type { SinkFault } from './spooled-body.ts';

/**
 * Opens a new empty file for reading and writing that has no name any more, in a private folder that is gone as well.
 * Nothing with a name outlives this call, so there is nothing to clean up: not at a stop, and not after a crash, where
 * nobody could tell whose it was (in containers that share a folder, every process has the number 1). A process killed in
 * the middle of it leaves that folder, with an empty file, at most. Bytes written later are the kernel's to free.
 *
 * @param parent folder to make the private folder in; null: the system's temp folder
 * @throws the system's error (ENOSPC, EMFILE, EACCES …)
 */
export function openNamelessFile(parent: string | null): number {
  // Mode 0700: nobody else can put anything in it, or take the file away, while it still has its name.
  const folder = mkdtempSync(join(parent ?? tmpdir(), 'lastbyte-'));
  try {
    return withoutName(join(folder, 'body'));
  } finally {
    rmdirSync(folder);
  }
}

function withoutName(path: string): number {
  const fd = openSync(path, 'wx+', 0o600);
  try {
    unlinkSync(path);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

export class SpoolFile implements Disposable {
  readonly fd: number;
  readonly #written: (fault: SinkFault | null) => void;
  /** Full segments; the first of them is the one that is being written. */
  readonly #queue: Segment[] = [];
  /** Settles when the queue is empty, or writing has failed; null: nothing is being written. */
  #writing: Promise<void> | null = null;
  #position = 0;
  #closed = false;

  /** @param written is told of each segment that is written, and of the fault that ends it */
  constructor(fd: number, written: (fault: SinkFault | null) => void) {
    this.fd = fd;
    this.#written = written;
  }

  /** Further segments wait for the one that is being written. */
  get isBehind(): boolean {
    return this.#queue.length > 1;
  }

  /** Takes the segment over: it is released when it is written. */
  add(segment: Segment): void {
    this.#queue.push(segment);
    this.#writing ??= this.#writeQueue();
  }

  /** Settles when all that was added is written, or never will be. */
  async flushed(): Promise<void> {
    await this.#writing;
  }

  /** Closes the file, after the write that is under way. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    const isWriting = this.#writing !== null;
    // The kernel still reads what is being written.
    for (const segment of this.#queue.splice(isWriting ? 1 : 0)) segment.release();
    if (!isWriting) this.#close();
  }

  async #writeQueue(): Promise<void> {
    let fault: SinkFault | null = null;
    for (let [segment] = this.#queue; segment !== undefined && fault === null; [segment] = this.#queue) {
      fault = await this.#write(segment.filled);
      this.#queue.shift();
      segment.release();
      if (!this.#closed) this.#written(fault);
    }
    this.#writing = null;
    if (this.#closed) this.#close();
  }

  async #write(bytes: Buffer): Promise<SinkFault | null> {
    try {
      for (let from = 0; from < bytes.length && !this.#closed;) {
        const count = await writeAt(this.fd, bytes.subarray(from), this.#position);
        this.#position += count;
        from += count;
      }
      return null;
    } catch (error) {
      return ioFault(error);
    }
  }

  #close(): void {
    close(this.fd, () => undefined);
  }
}

function writeAt(fd: number, bytes: Buffer, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, bytes, 0, bytes.length, position, (error, count) => {
      if (error === null) resolve(count);
      else reject(error);
    });
  });
}

export function ioFault(error: unknown): SinkFault {
  const errorCode = error instanceof Error && 'code' in error ? String(error.code) : 'EIO';
  return { kind: 'io', errorCode };
}
