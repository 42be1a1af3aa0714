/** A proxy with its own listener: the public API. */

import { EventEmitter } from 'node:events';
import type { ProxyOptions } from '../config/proxy-options.ts';
import { resolveOptions } from '../config/resolve.ts';
import type { Settings } from '../config/settings.ts';
import { upstreamEnded } from '../exchange/refuse.ts';
import { Engine } from './engine.ts';
import { Listener } from './listener.ts';
import type { ProxyEvents } from './event-publisher.ts';

export type { ProxyEvents } from './event-publisher.ts';

/**
 * A proxy in front of one upstream.
 *
 * `start()` and `close()` may each be called once. No global state; the process is never ended.
 */
export class Proxy extends EventEmitter<ProxyEvents> implements AsyncDisposable {
  readonly #engine: Engine<Listener>;
  readonly #listener: Listener;
  #closed: Promise<void> | null = null;

  constructor(settings: Settings) {
    super();
    this.#engine = new Engine(settings, this, (engine) => new Listener(engine, settings));
    this.#listener = this.#engine.frontend;
  }

  /** Where clients reach it. Before `start()`, the port may be 0. */
  get url(): string {
    return this.#listener.url;
  }

  /** The address of the inspector, metrics and health checks; null without an admin listener. */
  get adminUrl(): string | null {
    return this.#engine.adminUrl;
  }

  get settings(): Settings {
    return this.#listener.settings;
  }

  /** How many exchanges are in progress. */
  get running(): number {
    return this.#listener.count().running;
  }

  /**
   * Listens for clients and, unless switched off, on the admin port. The upstream need not be there yet.
   * @throws the system's error, such as EADDRINUSE
   */
  async start(): Promise<void> {
    await this.#listener.listen();
    try {
      await this.#engine.start();
    } catch (error) {
      await this.#listener.close();
      throw error;
    }
  }

  /**
   * Stops accepting, and lets exchanges and closing connections finish. Shortly before `shutdownTimeoutMs` is over, waiting
   * requests are refused with 503; when it is over, the rest is cut off. Resolves when every exchange has been recorded.
   */
  close(): Promise<void> {
    this.#closed ??= this.#engine.close();
    return this.#closed;
  }

  /** The upstream is not coming back: requests without a response are refused with 503, streams are cut. */
  refuseWaiting(): void {
    this.#listener.stop(upstreamEnded());
  }

  /** Ends everything at once. */
  destroy(): void {
    this.#engine.destroy();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Applies other settings to exchanges that begin from now on.
   * @returns the names of changed settings that need a restart
   */
  reload(settings: Settings): readonly (keyof Settings)[] {
    const { settings: inForce, needRestart } = reloaded(this.settings, settings);
    this.#listener.reload(inForce);
    return needRestart;
  }
}

/**
 * Makes a proxy; it listens after `start()`.
 *
 * @example
 * await using proxy = createProxy({ target: 'http://127.0.0.1:8000', port: 8080 });
 * await proxy.start();
 *
 * @throws ConfigError naming every option that is wrong
 */
export function createProxy(options: ProxyOptions = {}): Proxy {
  return new Proxy(resolveOptions(options));
}

/** Listening sockets and budgets are created once: only a restart changes them. */
const ONLY_AT_START = [
  'port',
  'host',
  'socketPath',
  'tlsCert',
  'tlsKey',
  'admin',
  'adminPort',
  'adminHost',
  'maxHeaderBytes',
  'memoryTotalBytes',
  'diskTotalBytes',
  'spoolDir',
] as const satisfies readonly (keyof Settings)[];

export interface Reloaded {
  /** The wanted settings, except those that need a restart. */
  readonly settings: Settings;
  /** The names of those that differ. */
  readonly needRestart: readonly (keyof Settings)[];
}

export function reloaded(inForce: Settings, wanted: Settings): Reloaded {
  const kept = Object.fromEntries(ONLY_AT_START.map((name) => [name, inForce[name]]));
  return {
    settings: Object.freeze({ ...wanted, ...kept }),
    needRestart: ONLY_AT_START.filter((name) => inForce[name] !== wanted[name]),
  };
}
