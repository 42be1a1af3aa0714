/** Sees whether an upstream that has just cut a connection still takes new ones. Nothing is sent, so nothing is acted on. */

import { performance } from 'node:perf_hooks';
import type { ConnectResult, Connecting, UpstreamConnection } from './connection.ts';

/**
 * For so long a connection must stand. The kernel takes connections for a process on its way out, and resets them when its
 * listening socket is closed, which is when its other connections end too.
 */
const STANDS_MS = 250;

/** Between one connection that did not stand and the next: what closes each at once must not be flooded with them. */
const PAUSE_MS = 25;

type ConnectFailure = Extract<ConnectResult, { kind: 'failed' }>;

export class Look {
  readonly #connect: () => Connecting;
  #isCancelled = false;
  #stop: () => void = () => undefined;

  constructor(connect: () => Connecting) {
    this.#connect = connect;
  }

  /** Why no connection was taken; null: one was, or the look was cancelled. */
  async run(): Promise<ConnectFailure | null> {
    const untilMs = performance.now() + STANDS_MS;
    for (;;) {
      const connecting = this.#connect();
      this.#stop = () => connecting.cancel();
      const result = await connecting.result;
      if (this.#isCancelled && result.kind === 'connected') result.connection.destroy();
      if (this.#isCancelled) return null;
      if (result.kind === 'failed') return result;
      const { connection } = result;
      this.#stop = () => connection.destroy();
      const stands = await standsUntil(connection, untilMs);
      connection.destroy();
      if (stands || this.#isCancelled) return null;
      await this.#pause();
      if (this.#isCancelled) return null;
    }
  }

  cancel(): void {
    this.#isCancelled = true;
    this.#stop();
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, PAUSE_MS);
      this.#stop = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Whether the connection is still there at that time. */
function standsUntil(connection: UpstreamConnection, untilMs: number): Promise<boolean> {
  const leftMs = Math.ceil(untilMs - performance.now());
  if (leftMs <= 0 || !connection.usable) return Promise.resolve(leftMs <= 0);
  return new Promise((resolve) => {
    connection.attach({
      window: () => null,
      bytes: () => {
        resolve(true);
        return true;
      },
      ended: () => resolve(false),
      timedOut: () => resolve(true),
    });
    connection.setTimeout(leftMs);
    connection.socket.once('close', () => resolve(false));
  });
}
