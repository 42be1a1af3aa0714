/** The clock of a client that is sent something: it may take no byte for --client-receive-timeout, and no longer. */

import type { Socket } from 'node:net';
import { TakingWatch } from './unacknowledged.ts';

export class ReceiveClock {
  readonly #socket: Socket;
  readonly #limitMs: number;
  readonly #progress = new TakingWatch();
  #running = false;

  /** @param limitMs 0: it may take as long as it likes */
  constructor(socket: Socket, limitMs: number) {
    this.#socket = socket;
    this.#limitMs = limitMs;
  }

  /** There is something for the client that the kernel has not taken yet. */
  start(): void {
    this.#running = true;
    this.#socket.setTimeout(this.#limitMs);
  }

  /** The client is owed nothing: it may be silent, and so may we. */
  stop(): void {
    if (!this.#running) return;
    this.#running = false;
    this.#socket.setTimeout(0);
  }

  /** The socket's time is over. Returns why the client is to be given up; null: it is not. */
  expired(): string | null {
    if (!this.#running) return null;
    if (!this.#progress.goesOn(this.#socket))
      return `The client took no byte of the answer for --client-receive-timeout, ${this.#limitMs} ms.`;
    this.#socket.setTimeout(this.#limitMs);
    return null;
  }
}
