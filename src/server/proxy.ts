/** The composition root: puts the parts together, starts them and stops them. */

import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { ProxyOptions } from '../config/proxy-options.ts';
import { resolveOptions } from '../config/resolve.ts';
import type { Settings } from '../config/settings.ts';
import type { Services } from '../exchange/services.ts';
import { Spool } from '../spool/spool.ts';
import { Passes } from '../http-proxy/passes.ts';
import { createAdminServer } from './admin.ts';
import type { AdminServer } from './admin.ts';
import { dispatchRequest, dispatchUpgrade } from './dispatch.ts';
import type { Router } from './dispatch.ts';
import { Listener } from './listener.ts';
import { EventPublisher } from './proxy-events.ts';
import type { ProxyEvents } from './proxy-events.ts';
import { reloaded } from './reload.ts';
import { servicesUnder } from './services.ts';
import type { Shared } from './services.ts';
import { watching } from './watching.ts';
import type { Watching } from './watching.ts';

export type { ProxyEvents } from './proxy-events.ts';

/** How long before the end a request that waits is refused, so that its client has the time to read why. */
const REFUSE_WAITING_MS = 1000;
/** Exchanges that were cut off write their records at once, except one that is still connecting somewhere. */
const LAST_RECORDS_MS = 500;

/**
 * A proxy in front of one upstream.
 *
 * `start()` and `close()` may each be called once. No global state; the process is never ended.
 */
export class Proxy extends EventEmitter<ProxyEvents> implements AsyncDisposable {
  readonly #passes: Passes;
  readonly #listener: Listener;
  readonly #shared: Shared;
  readonly #watching: Watching | null;
  readonly #admin: AdminServer | null;
  /** A reload replaces them. */
  #services: Services;
  #closed: Promise<void> | null = null;

  constructor(settings: Settings) {
    super();
    this.#passes = new Passes(settings.maxHeaderBytes);
    this.#shared = {
      spool: new Spool(settings),
      publisher: new EventPublisher(this),
      waiters: { count: 0 },
      via: `lastbyte-${randomBytes(4).toString('hex')}`,
      urls: () => ({ url: this.url, adminUrl: this.adminUrl }),
      addressOf: (socket) => this.#watching?.replayedFor(socket) ?? socket.remoteAddress ?? '',
      closing: false,
    };
    this.#services = servicesUnder(settings, this.#shared);
    this.#listener = this.#newListener();
    this.#watching = settings.admin ? this.#watch() : null;
    this.#admin = this.#watching === null ? null : this.#newAdmin(this.#watching);
  }

  /** Where clients reach it. Before `start()`, the port may be 0. */
  get url(): string {
    const { socketPath, host, tlsCert, port } = this.settings;
    if (socketPath !== null) return `unix:${socketPath}`;
    const scheme = tlsCert === null ? 'http' : 'https';
    return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${this.#listener.port ?? port}`;
  }

  /** Where health is asked for; null without an admin listener. */
  get adminUrl(): string | null {
    return this.#admin?.url ?? null;
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
      await this.#admin?.start();
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
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** The upstream does not come back: what has no response yet is refused with 503, what streams is cut. */
  refuseWaiting(): void {
    this.#listener.stop();
  }

  /** Ends everything at once. */
  destroy(): void {
    this.#shared.closing = true;
    this.#listener.destroy();
    this.#watching?.close();
    void this.#admin?.close();
    this.#services.pool.close();
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
    const { pool } = this.#services;
    this.#services = servicesUnder(inForce, this.#shared);
    this.#listener.reconfigure(inForce);
    // Its connections lead to the old target, also those that are in use: they must not come back.
    pool.close();
    return needRestart;
  }

  async #close(): Promise<void> {
    this.#shared.closing = true;
    const { shutdownTimeoutMs } = this.settings;
    const refuseWaitingMs = Math.min(REFUSE_WAITING_MS, shutdownTimeoutMs / 2);
    const refuseWaiting = setTimeout(() => this.#listener.stop(), shutdownTimeoutMs - refuseWaitingMs);
    const deadline = setTimeout(() => this.#listener.destroy(), shutdownTimeoutMs);
    await this.#listener.close();
    clearTimeout(refuseWaiting);
    clearTimeout(deadline);
    await within(this.#listener.settled(), LAST_RECORDS_MS);
    this.#watching?.close();
    await this.#admin?.close();
    this.#services.pool.close();
  }

  #router(): Router {
    return { passes: this.#passes, services: this.#services };
  }

  #newListener(): Listener {
    const { publisher } = this.#shared;
    return new Listener(this.settings, {
      request: (connection, request, response, expects) =>
        dispatchRequest(this.#router(), connection, request, response, expects),
      upgrade: (connection, request, head) => dispatchUpgrade(this.#router(), connection, request, head),
      refused: (record) => publisher.exchange(record),
      acceptFailed: (error) => publisher.acceptError(error),
    });
  }

  #watch(): Watching {
    const { publisher, waiters, spool } = this.#shared;
    return watching(this, {
      settings: () => this.settings,
      url: () => this.url,
      lookAtAll: (all) => {
        publisher.lookAtAll = all;
      },
      trusts: (address) => this.#services.trusts(address),
      failed: (error) => publisher.adminError(error),
      now: () => ({
        ...this.#listener.count(),
        waiting: waiters.count,
        spool_memory_bytes: spool.memory.usedBytes,
        spool_disk_bytes: spool.disk.usedBytes,
      }),
    });
  }

  #newAdmin({ pages }: Watching): AdminServer {
    const { adminHost: host, adminPort: port } = this.settings;
    return createAdminServer({
      host,
      port,
      ready: () => this.#upstreamAccepts(),
      pages,
      failed: (error) => this.#shared.publisher.adminError(error),
    });
  }

  /** Whether the upstream takes a connection now. */
  async #upstreamAccepts(): Promise<boolean> {
    const { settings, connect } = this.#services;
    const result = await connect(settings.connectTimeoutMs).result;
    if (result.kind === 'connected') result.connection.destroy();
    return result.kind === 'connected';
  }
}

async function within(done: Promise<void>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([done, over]);
  clearTimeout(timer);
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
