/** A proxy with a listener of its own: puts both together, starts them and stops them. */

import { EventEmitter } from 'node:events';
import type { ProxyOptions } from '../config/proxy-options.ts';
import { resolveOptions } from '../config/resolve.ts';
import type { Settings } from '../config/settings.ts';
import { upstreamEnded } from '../exchange/refuse.ts';
import type { Services } from '../exchange/services.ts';
import { arrivalOn, dispatchRequest, dispatchUpgrade } from './dispatch.ts';
import { Engine } from './engine.ts';
import { Listener } from './listener.ts';
import type { ProxyEvents } from './proxy-events.ts';
import { reloaded } from './services.ts';

export type { ProxyEvents } from './proxy-events.ts';

/**
 * A proxy in front of one upstream.
 *
 * `start()` and `close()` may each be called once. No global state; the process is never ended.
 */
export class Proxy extends EventEmitter<ProxyEvents> implements AsyncDisposable {
  readonly #engine: Engine;
  readonly #listener: Listener;
  /** A reload replaces them. */
  #services: Services;
  #closed: Promise<void> | null = null;

  constructor(settings: Settings) {
    super();
    this.#engine = new Engine(settings, this, () => this.#listener, true);
    this.#services = this.#engine.serve(settings);
    this.#listener = this.#newListener();
  }

  /** Where clients reach it. Before `start()`, the port may be 0. */
  get url(): string {
    return this.#listener.url;
  }

  /** Where health is asked for; null without an admin listener. */
  get adminUrl(): string | null {
    return this.#engine.adminUrl;
  }

  get settings(): Settings {
    return this.#services.settings;
  }

  /** How many exchanges are under way. */
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
   * Stops accepting, and lets exchanges and closing connections finish. Shortly before `shutdownTimeoutMs` is over, what
   * still waits is refused with 503; when it is over, the rest is cut off. Resolves when all is told.
   */
  close(): Promise<void> {
    this.#closed ??= this.#engine.close();
    return this.#closed;
  }

  /** The upstream does not come back: what has no response yet is refused with 503, what streams is cut. */
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
   * Puts other settings in force for exchanges that begin from now on.
   * @returns the names of changed settings that only a restart can put in force
   */
  reload(settings: Settings): readonly (keyof Settings)[] {
    const { settings: inForce, needRestart } = reloaded(this.settings, settings);
    const before = this.#services;
    this.#services = this.#engine.serve(inForce);
    this.#listener.reconfigure(inForce);
    this.#engine.drop(before);
    return needRestart;
  }

  #newListener(): Listener {
    const { publisher } = this.#engine;
    return new Listener(this.settings, {
      request: (connection, incoming, response, expects) =>
        dispatchRequest(
          this.#engine.router(this.#services),
          arrivalOn(connection, incoming, this.settings),
          response,
          expects,
        ),
      upgrade: (connection, incoming, head) =>
        dispatchUpgrade(
          this.#engine.router(this.#services),
          arrivalOn(connection, incoming, this.settings),
          head,
        ),
      refused: (record) => publisher.exchange(record),
      acceptFailed: (error) => publisher.acceptError(error),
    });
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

/** The same for settings that are validated already. */
export function createProxyFromSettings(settings: Settings): Proxy {
  return new Proxy(settings);
}
