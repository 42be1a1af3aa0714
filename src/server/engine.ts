/** All of a proxy but the place where its requests come in: what its exchanges share, who watches them, and their end. */

import { randomBytes } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import type { Settings } from '../config/settings.ts';
import type { ProxyError } from '../errors.ts';
import { shuttingDown } from '../exchange/refuse.ts';
import type { Services } from '../exchange/services.ts';
import { Passes } from '../http-proxy/passes.ts';
import { Spool } from '../spool/spool.ts';
import { createAdminServer } from './admin.ts';
import type { AdminServer } from './admin.ts';
import type { Router } from './dispatch.ts';
import { EventPublisher } from './event-publisher.ts';
import type { ProxyEvents } from './proxy-events.ts';
import { servicesUnder } from './services.ts';
import type { Shared } from './services.ts';
import { watching } from './watching.ts';
import type { Watching } from './watching.ts';

/** How long before the end a request that waits is refused, so that its client has the time to read why. */
const REFUSE_WAITING_MS = 1000;
/** Exchanges that were cut off write their records at once, except one that is still connecting somewhere. */
const LAST_RECORDS_MS = 500;

/** Where requests come in: a listener of our own, or another server that hands them over. */
export interface Frontend {
  /** Where clients reach it; empty: that is not known yet. */
  readonly url: string;
  /** Connections of clients, and those of them that are only waiting for their end. */
  count(): { readonly running: number; readonly connections: number; readonly lingering: number };
  /** Takes nothing more. Resolves when nothing is left of what was taken. */
  close(): Promise<void>;
  /** Ends what waits, in words, and what streams; answers under way and closing connections go on. */
  stop(error: ProxyError): void;
  /** Ends everything that was taken, now. */
  destroy(): void;
  /** Resolves when every exchange has written its record. */
  settled(): Promise<void>;
}

export class Engine {
  readonly publisher: EventPublisher;
  readonly #settings: Settings;
  readonly #frontend: () => Frontend;
  readonly #halfCloses: boolean;
  readonly #passes: Passes;
  readonly #shared: Shared;
  /** Of the upstreams that are served. */
  readonly #upstreams = new Set<Services>();
  readonly #watching: Watching | null;
  readonly #admin: AdminServer | null;

  /**
   * @param settings what is made once: spool, largest head, admin listener, and how long a shutdown takes
   * @param halfCloses whether the frontend answers a client that has closed its sending side
   */
  constructor(
    settings: Settings,
    events: EventEmitter<ProxyEvents>,
    frontend: () => Frontend,
    halfCloses: boolean,
  ) {
    this.#halfCloses = halfCloses;
    this.#settings = settings;
    this.#frontend = frontend;
    this.#passes = new Passes(settings.maxHeaderBytes);
    this.publisher = new EventPublisher(events);
    this.#shared = {
      spool: new Spool(settings),
      publisher: this.publisher,
      waiters: { count: 0 },
      via: `lastbyte-${randomBytes(4).toString('hex')}`,
      urls: () => ({ url: frontend().url, adminUrl: this.adminUrl }),
      addressOf: (socket) => this.#watching?.replayedFor(socket) ?? socket.remoteAddress ?? '',
      closing: false,
    };
    this.#watching = settings.admin ? this.#watch(events) : null;
    this.#admin = this.#watching === null ? null : this.#newAdmin(this.#watching);
  }

  /** Where health is asked for; null without an admin listener. */
  get adminUrl(): string | null {
    return this.#admin?.url ?? null;
  }

  get isClosing(): boolean {
    return this.#shared.closing;
  }

  /** Those in force: of the first upstream, where one stands for all. */
  get settings(): Settings {
    const [first] = this.#upstreams;
    return first?.settings ?? this.#settings;
  }

  /** What exchanges under these settings share, from now on. */
  serve(settings: Settings): Services {
    const services = servicesUnder(settings, this.#shared);
    this.#upstreams.add(services);
    return services;
  }

  /** No exchange begins with these any more. Their connections, also those in use, do not come back. */
  drop(services: Services): void {
    this.#upstreams.delete(services);
    services.pool.close();
  }

  router(services: Services): Router {
    return { passes: this.#passes, services };
  }

  /** @throws the system's error, such as EADDRINUSE, when the admin listener cannot listen */
  async start(): Promise<void> {
    await this.#admin?.start();
  }

  /**
   * Lets exchanges and closing connections finish. Shortly before `shutdownTimeoutMs` is over, what still waits is refused
   * with 503; when it is over, the rest is cut off. Resolves when all is told.
   */
  async close(): Promise<void> {
    this.#shared.closing = true;
    const frontend = this.#frontend();
    const { shutdownTimeoutMs } = this.settings;
    const refuseWaitingMs = Math.min(REFUSE_WAITING_MS, shutdownTimeoutMs / 2);
    const refuseWaiting = setTimeout(
      () => frontend.stop(shuttingDown(shutdownTimeoutMs)),
      shutdownTimeoutMs - refuseWaitingMs,
    );
    const deadline = setTimeout(() => frontend.destroy(), shutdownTimeoutMs);
    await frontend.close();
    clearTimeout(refuseWaiting);
    clearTimeout(deadline);
    await within(frontend.settled(), LAST_RECORDS_MS);
    this.#watching?.close();
    await this.#admin?.close();
    this.#closePools();
  }

  /** Ends everything at once. */
  destroy(): void {
    this.#shared.closing = true;
    this.#frontend().destroy();
    this.#watching?.close();
    void this.#admin?.close();
    this.#closePools();
  }

  #closePools(): void {
    for (const { pool } of this.#upstreams) pool.close();
  }

  #watch(events: EventEmitter<ProxyEvents>): Watching {
    const { publisher, waiters, spool } = this.#shared;
    return watching(
      events,
      {
        settings: () => this.settings,
        url: () => this.#frontend().url,
        lookAtAll: (all) => {
          publisher.lookAtAll = all;
        },
        trusts: (address) => [...this.#upstreams].some((one) => one.trusts(address)),
        failed: (error) => publisher.adminError(error),
        now: () => ({
          ...this.#frontend().count(),
          waiting: waiters.count,
          spool_memory_bytes: spool.memory.usedBytes,
          spool_disk_bytes: spool.disk.usedBytes,
        }),
      },
      this.#halfCloses,
    );
  }

  #newAdmin({ pages }: Watching): AdminServer {
    const { adminHost: host, adminPort: port } = this.#settings;
    return createAdminServer({
      host,
      port,
      ready: async () => (await Promise.all([...this.#upstreams].map(accepts))).every(Boolean),
      pages,
      failed: (error) => this.publisher.adminError(error),
    });
  }
}

/** Whether the upstream takes a connection now. */
async function accepts({ settings, connect }: Services): Promise<boolean> {
  const result = await connect(settings.connectTimeoutMs).result;
  if (result.kind === 'connected') result.connection.destroy();
  return result.kind === 'connected';
}

async function within(done: Promise<void>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([done, over]);
  clearTimeout(timer);
}
