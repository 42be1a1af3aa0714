/** A proxy with its own listener, and its events: the public API. */

import { EventEmitter } from 'node:events';
import type { ProxyOptions } from '../config/proxy-options.ts';
import { resolveOptions } from '../config/resolve.ts';
import type { Settings } from '../config/settings.ts';
import type { ExchangeBegun, ExchangeClosed, ExchangeRecord } from '../exchange/events.ts';
import type { StrayBytesNotice } from '../exchange/explain.ts';
import type { WaitingNotice } from '../exchange/notices.ts';
import { upstreamEnded } from '../exchange/refuse.ts';
import { Engine } from './engine.ts';
import { Listener } from './listener.ts';

/**
 * The events of a proxy. Listeners get records and cannot change anything; one that throws does not affect the exchange. Events are
 * published in batches, in their order: up to 20 ms late, and all of them before `close()` resolves.
 */
export interface ProxyEvents {
  /** An exchange is over. */
  exchange: [record: ExchangeRecord];
  /**
   * An exchange begins. Whoever listens also gets the `notes` in the records of exchanges that begin from then on. Above 100
   * per second (300 in a burst), the others have neither event nor notes, because nobody can look at so many.
   */
  begun: [begun: ExchangeBegun];
  /**
   * The client's connection is closed. Emitted for the last exchange on it, if that had a `begun` event. It may come before
   * `exchange` if the client left.
   */
  closed: [closed: ExchangeClosed];
  /** The admin listener or the inspector failed; both continue, and traffic was not affected. */
  adminError: [error: Error];
  /** The system could not accept a client's connection, e.g. for lack of memory; the proxy continues. */
  acceptError: [error: Error];
  /** A request starts to wait for an upstream that accepts no connections; emitted once until it accepts one again. */
  waiting: [notice: WaitingNotice];
  /** The upstream sent bytes that no request had asked for; emitted once, because from then on each connection is used only once. */
  strayBytes: [notice: StrayBytesNotice];
}

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
