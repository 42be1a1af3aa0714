/** Takes the log's lines to their stream: never throws, never ends it, and keeps no more of them than may wait. */

import { Writable } from 'node:stream';

/** What may wait to be read, about 3,000 entries: a reader that pauses misses nothing, one that never comes costs no more. */
const MAX_WAITING_BYTES = 1024 * 1024;

/** Who takes nothing for so long when the log is closed is not waited for. */
const PATIENCE_MS = 3000;

/** Errors after which the same stream may work again: no room for the moment. */
const PASSING: ReadonlySet<string> = new Set(['EAGAIN', 'ENOSPC']);

export class LogStream {
  readonly #stream: NodeJS.WritableStream;
  readonly #onRoom: () => void;
  readonly #onError: (error: NodeJS.ErrnoException) => void;
  #waitingBytes = 0;
  #full = false;
  /** No more can be written: nobody is there to read it. */
  broken = false;
  #progress: (() => void) | null = null;

  /** @param onRoom what was full takes lines again */
  constructor(stream: NodeJS.WritableStream, onRoom: () => void) {
    this.#stream = stream;
    this.#onRoom = onRoom;
    // `lastbyte | head`: a reader that leaves is no reason to stop the proxy.
    this.#onError = (error) => {
      if (!PASSING.has(error.code ?? '')) this.broken = true;
    };
    stream.on('error', this.#onError);
  }

  /** Nobody has read for so long that no more lines are taken, until half of what waits is read. */
  get full(): boolean {
    return this.#full;
  }

  /**
   * What winston writes to. Node's stream for a file on stdout writes at once and may throw; winston's transport would stay
   * in the middle of that write for ever, and keep every later line in memory. Here the lines are lost.
   */
  readonly writable: Writable = new Writable({
    decodeStrings: false,
    write: (lines: string, _encoding, done) => {
      try {
        this.#write(lines);
      } catch {
        // Lost, as said above: there is no other place to complain to.
      }
      done();
    },
  });

  /** Resolves when all is with the system, or when it takes nothing more; false: some of it was left. */
  async end(): Promise<boolean> {
    // A stream that failed may report more errors later: then the listener stays.
    const flushed = !this.broken && (await this.#flushed());
    if (flushed) this.#stream.off('error', this.#onError);
    return flushed || this.broken;
  }

  #write(lines: string): void {
    const bytes = Buffer.byteLength(lines);
    this.#waitingBytes += bytes;
    const taken = (): void => {
      this.#waitingBytes -= bytes;
      this.#progress?.();
      if (!this.#full || this.#waitingBytes > MAX_WAITING_BYTES / 2) return;
      this.#full = false;
      this.#onRoom();
    };
    try {
      this.#stream.write(lines, taken);
    } catch (error) {
      this.#waitingBytes -= bytes;
      throw error;
    }
    if (this.#waitingBytes > MAX_WAITING_BYTES) this.#full = true;
  }

  /** Writes are done in order, so when this empty one is done all are. False: the stream failed, or nobody reads it. */
  #flushed(): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (whole: boolean): void => {
        clearTimeout(patience);
        this.#progress = null;
        this.#stream.off('close', onClose);
        resolve(whole);
      };
      const patience = setTimeout(() => settle(false), PATIENCE_MS);
      this.#progress = () => patience.refresh();
      // A stream that is destroyed meanwhile need not call back.
      const onClose = (): void => settle(false);
      this.#stream.once('close', onClose);
      this.#stream.write('', (error) => settle(!error));
    });
  }
}
