/** Watches how clients' connections end, and tells it of the last exchange that each of them carried. */

import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { ExchangeClosed } from '../exchange/events.ts';

interface Watched {
  id: string;
  startedMs: number;
  clientFinMs: number | null;
  ourFinMs: number | null;
}

export class ClosingWatch {
  readonly #watched = new WeakMap<Socket, Watched>();
  readonly #tell: (closed: ExchangeClosed) => void;

  constructor(tell: (closed: ExchangeClosed) => void) {
    this.#tell = tell;
  }

  /** @param startedMs when the exchange began, by the monotonic clock */
  begun(id: string, socket: Socket, startedMs: number): void {
    const watched = this.#watched.get(socket);
    if (watched === undefined) this.#watch(socket, { id, startedMs, clientFinMs: null, ourFinMs: null });
    else Object.assign(watched, { id, startedMs });
  }

  #watch(socket: Socket, watched: Watched): void {
    this.#watched.set(socket, watched);
    socket.once('end', () => {
      watched.clientFinMs = performance.now();
    });
    socket.once('finish', () => {
      watched.ourFinMs = performance.now();
    });
    socket.once('close', (hadError: boolean) => {
      const { id, startedMs, clientFinMs, ourFinMs } = watched;
      const since = (atMs: number | null): number | null => (atMs === null ? null : atMs - startedMs);
      this.#tell({
        id,
        clientFinMs: since(clientFinMs),
        ourFinMs: since(ourFinMs),
        closedMs: performance.now() - startedMs,
        reset: hadError || clientFinMs === null || ourFinMs === null,
      });
    });
  }
}
