/** Reads one connection in the order of its bytes, and tells how the other side ended it. */

import type { Socket } from 'node:net';

export type End = 'fin' | 'reset';

export class ByteReader {
  #parts: Buffer[] = [];
  #bytes = 0;
  #ended: End | null = null;
  #waiting: (() => void)[] = [];

  constructor(socket: Socket) {
    const end = (how: End): void => {
      this.#ended ??= how;
      this.#wake();
    };
    socket
      .on('data', (part: Buffer) => {
        this.#parts.push(part);
        this.#bytes += part.length;
        this.#wake();
      })
      // See test/facts/reset.test.ts: nobody may have asked for the address before.
      .on('end', () => end(!socket.writableEnded && socket.remoteAddress === undefined ? 'reset' : 'fin'))
      .on('error', () => end('reset'))
      .on('close', () => end('reset'));
  }

  /** How many bytes came and were not taken. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Those bytes. */
  get left(): Buffer {
    const [only, ...more] = this.#parts;
    if (only !== undefined && more.length === 0) return only;
    const all = Buffer.concat(this.#parts);
    this.#parts = [all];
    return all;
  }

  get ended(): End | null {
    return this.#ended;
  }

  /** Where `mark` begins in what was not taken. Null: the connection ended first. */
  async find(mark: string): Promise<number | null> {
    for (;;) {
      const at = this.left.indexOf(mark, 0, 'latin1');
      if (at >= 0) return at;
      if (!(await this.more())) return null;
    }
  }

  /** What comes before `mark`, which is taken, too. Null: the connection ended first. */
  async until(mark: string): Promise<string | null> {
    const at = await this.find(mark);
    return at === null ? null : this.#taken(at + mark.length).toString('latin1', 0, at);
  }

  /** Resolves with true when so many bytes are there; with false when the connection ended first. */
  async has(bytes: number): Promise<boolean> {
    while (this.#bytes < bytes) if (!(await this.more())) return false;
    return true;
  }

  /** Null: the connection ended first. */
  async take(bytes: number): Promise<Buffer | null> {
    return (await this.has(bytes)) ? this.#taken(bytes) : null;
  }

  /** All that comes until the other side ends. */
  async rest(): Promise<Buffer> {
    while (await this.more());
    return this.#taken(this.#bytes);
  }

  async end(): Promise<End> {
    while (this.#ended === null) await this.#change();
    return this.#ended;
  }

  /** Resolves with true when more bytes are there; with false when the other side has ended. */
  async more(): Promise<boolean> {
    const before = this.#bytes;
    while (this.#bytes === before) {
      if (this.#ended !== null) return false;
      await this.#change();
    }
    return true;
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #taken(bytes: number): Buffer {
    const all = this.left;
    this.#parts = [all.subarray(bytes)];
    this.#bytes -= bytes;
    return all.subarray(0, bytes);
  }
}
