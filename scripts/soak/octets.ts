/** Reads one connection in the order of its octets, and tells how the other side ended it. */

import type { Socket } from 'node:net';

export type End = 'fin' | 'reset';

export class Octets {
  #parts: Buffer[] = [];
  #bytes = 0;
  #ended: End | null = null;
  #wake: () => void = () => undefined;

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

  /** Octets that came and were not taken. */
  get bytes(): number {
    return this.#bytes;
  }

  get ended(): End | null {
    return this.#ended;
  }

  /** What comes before `mark`, which is taken, too. Null: the connection ended first. */
  async until(mark: string): Promise<string | null> {
    for (;;) {
      const at = this.#joined().indexOf(mark, 0, 'latin1');
      if (at >= 0) return this.#taken(at + mark.length).toString('latin1', 0, at);
      if (!(await this.more())) return null;
    }
  }

  /** Null: the connection ended first. */
  async take(bytes: number): Promise<Buffer | null> {
    while (this.#bytes < bytes) if (!(await this.more())) return null;
    return this.#taken(bytes);
  }

  /** All that comes until the other side ends. */
  async rest(): Promise<Buffer> {
    while (await this.more());
    return this.#taken(this.#bytes);
  }

  async end(): Promise<End> {
    while (this.#ended === null) await this.more();
    return this.#ended;
  }

  /** Resolves with true when more octets are there; with false when the other side has ended. */
  async more(): Promise<boolean> {
    const before = this.#bytes;
    while (this.#bytes === before) {
      if (this.#ended !== null) return false;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return true;
  }

  #joined(): Buffer {
    const [only, ...more] = this.#parts;
    if (only !== undefined && more.length === 0) return only;
    const all = Buffer.concat(this.#parts);
    this.#parts = [all];
    return all;
  }

  #taken(bytes: number): Buffer {
    const all = this.#joined();
    this.#parts = [all.subarray(bytes)];
    this.#bytes -= bytes;
    return all.subarray(0, bytes);
  }
}
