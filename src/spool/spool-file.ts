/** A nameless file for a body that is too large for memory, and the queue of segments to be written to it. */

import { close, closeSync, mkdtempSync, openSync, rmdirSync, unlinkSync, write } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Segment } from './buffer-pool.ts';
import type { SinkFault } from './spooled-body.ts';

/**
 * Opens a new empty file for reading and writing in a private folder, and removes both names at once. So there is nothing
 * to clean up at a stop or after a crash, when its owner would be unknown (in containers that share a folder, every
 * process has the PID 1). A process killed during this call leaves at most that folder with an empty file. The kernel
 * frees the bytes when the file is closed.
 *
 * @param parent folder to make the private folder in; null: the system's temp folder
 * @throws the system's error (ENOSPC, EMFILE, EACCES …)
 */
export function openNamelessFile(parent: string | null): number {
  // Mode 0700: no other user can add or remove files while the file has its name.
  const folder = mkdtempSync(join(parent ?? tmpdir(), 'lastbyte-'));
  try {
    return openUnlinked(join(folder, 'body'));
  } finally {
    rmdirSync(folder);
  }
}

function openUnlinked(path: string): number {
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
  /** Full segments; the first is being written. */
  readonly #queue: Segment[] = [];
  /** Settles when the queue is empty, or writing has failed; null: nothing is being written. */
  #writing: Promise<void> | null = null;
  #position = 0;
  #closed = false;

  /** @param written called after each segment that is written, and with the fault that ends writing */
  constructor(fd: number, written: (fault: SinkFault | null) => void) {
    this.fd = fd;
    this.#written = written;
  }

  /** Whether segments wait for the one that is being written. */
  get isBehind(): boolean {
    return this.#queue.length > 1;
  }

  /** Takes ownership of the segment: releases it when it is written. */
  add(segment: Segment): void {
    this.#queue.push(segment);
    this.#writing ??= this.#writeQueue();
  }

  /** Settles when all added segments are written, or writing has failed. */
  async flushed(): Promise<void> {
    await this.#writing;
  }

  /** Closes the file, after the current write. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    const isWriting = this.#writing !== null;
    // The kernel may still read the segment that is being written.
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
