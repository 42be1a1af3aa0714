/** The composition root: puts the parts together, starts them and stops them. */

import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { Chassis } from '../chassis/chassis.ts';
import { trustIn } from '../client/peer.ts';
import type { ProxyOptions } from '../config/proxy-options.ts';
import { resolveOptions } from '../config/resolve.ts';
import type { Settings } from '../config/settings.ts';
import { targetUrl } from '../config/target.ts';
import { strayBytesNotice } from '../exchange/explain.ts';
import { waitingNotice } from '../exchange/explain-absent.ts';
import { HeldBackHints } from '../exchange/held-back.ts';
import type { Services } from '../exchange/services.ts';
import { Spool } from '../spool/spool.ts';
import { Absence } from '../upstream/absence.ts';
import { ConnectGate } from '../upstream/connect-gate.ts';
import type { Connecting, ConnectOptions } from '../upstream/connection.ts';
import { openConnection } from '../upstream/dial.ts';
import { ConnectionPool } from '../upstream/pool.ts';
import { Routes } from '../upstream/routes.ts';
import { answeringPorts } from '../upstream/usual-ports.ts';
import { WaitingRoom } from '../upstream/waiting-room.ts';
import { createAdminServer } from './admin.ts';
import type { AdminServer } from './admin.ts';
import { enterRequest, enterUpgrade } from './entrance.ts';
import type { Entrance } from './entrance.ts';
import { Listener } from './listener.ts';
import { Teller } from './proxy-events.ts';
import type { ProxyEvents } from './proxy-events.ts';
import { reloaded } from './reload.ts';
import { watching } from './watching.ts';
import type { Watching } from './watching.ts';

export type { ProxyEvents } from './proxy-events.ts';

/** How long before the end a request that waits is refused, so that its client has the time to read why. */
const LAST_WORDS_MS = 1000;
/** Exchanges that were cut off write their records at once, except one that is still connecting somewhere. */
const LAST_RECORDS_MS = 500;

/**
 * A proxy in front of one upstream.
 *
 * `start()` and `close()` may each be called once. No global state; the process is never ended.
 */
export class Proxy extends EventEmitter<ProxyEvents> implements AsyncDisposable {
  #settings: Settings;
  readonly #chassis: Chassis;
  readonly #spool: Spool;
  #pool: ConnectionPool;
  #routes = new Routes();
  #heldBack = new HeldBackHints();
  #gate = new ConnectGate();
  #absence: Absence;
  readonly #waitingRoom = new WaitingRoom(() => this.#absence.waitBegins());
  readonly #via = `lastbyte-${randomBytes(4).toString('hex')}`;
  readonly #listener: Listener;
  readonly #admin: AdminServer | null;
  readonly #teller: Teller = new Teller(this);
  readonly #watching: Watching | null;
  #trusts: (address: string) => boolean;
  #services: Services;
  #closing = false;
  #closed: Promise<void> | null = null;

  constructor(settings: Settings) {
    super();
    this.#settings = settings;
    this.#chassis = new Chassis(settings.maxHeaderBytes);
    this.#spool = new Spool(settings);
    this.#pool = this.#newPool();
    this.#absence = this.#newAbsence();
    this.#trusts = trustIn(settings.trustProxy);
    this.#services = this.#makeServices();
    this.#listener = new Listener(settings, {
      request: (connection, request, response, expects) =>
        enterRequest(this.#entrance(), connection, request, response, expects),
      upgrade: (connection, request, head) => enterUpgrade(this.#entrance(), connection, request, head),
      refused: (record) => this.#teller.over(record),
      acceptFailed: (error) => this.#teller.acceptFailed(error),
    });
    this.#watching = settings.admin ? this.#watch() : null;
    this.#admin = this.#watching === null ? null : this.#makeAdmin(this.#watching);
  }

  /** Where clients reach it. Before `start()`, the port may be 0. */
  get url(): string {
    const { socketPath, host, tlsCert, port } = this.#settings;
    if (socketPath !== null) return `unix:${socketPath}`;
    const scheme = tlsCert === null ? 'http' : 'https';
    return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${this.#listener.port ?? port}`;
  }

  /** Where health is asked for; null without an admin listener. */
  get adminUrl(): string | null {
    return this.#admin?.url ?? null;
  }

  get settings(): Settings {
    return this.#settings;
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

  /** Ends everything at once. */
  destroy(): void {
    this.#closing = true;
    this.#services = this.#makeServices();
    this.#listener.destroy();
    this.#watching?.close();
    void this.#admin?.close();
    this.#pool.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Puts other settings in force for exchanges that begin from now on.
   * @returns the names of changed settings that only a restart can put in force
   */
  reload(settings: Settings): readonly (keyof Settings)[] {
    const { settings: inForce, needRestart } = reloaded(this.#settings, settings);
    this.#settings = inForce;
    this.#trusts = trustIn(settings.trustProxy);
    this.#listener.reconfigure(this.#settings);
    // Its connections lead to the old target, also those that are in use: they must not come back.
    this.#pool.close();
    this.#pool = this.#newPool();
    this.#routes = new Routes();
    this.#heldBack = new HeldBackHints();
    this.#gate = new ConnectGate();
    this.#absence = this.#newAbsence();
    this.#services = this.#makeServices();
    return needRestart;
  }

  async #close(): Promise<void> {
    this.#closing = true;
    this.#services = this.#makeServices();
    const { shutdownTimeoutMs } = this.#settings;
    const lastWordsMs = Math.min(LAST_WORDS_MS, shutdownTimeoutMs / 2);
    const lastWords = setTimeout(() => this.#listener.stop(), shutdownTimeoutMs - lastWordsMs);
    const deadline = setTimeout(() => this.#listener.destroy(), shutdownTimeoutMs);
    await this.#listener.close();
    clearTimeout(lastWords);
    clearTimeout(deadline);
    await within(this.#listener.settled(), LAST_RECORDS_MS);
    this.#watching?.close();
    await this.#admin?.close();
    this.#pool.close();
  }

  #entrance(): Entrance {
    return { chassis: this.#chassis, services: this.#services };
  }

  #newPool(): ConnectionPool {
    const settings = this.#settings;
    const target = targetUrl(settings.target);
    return new ConnectionPool(settings, () => this.#teller.strayBytes(strayBytesNotice(target)));
  }

  #makeServices(): Services {
    const settings = this.#settings;
    const { target, insecure } = settings;
    const trusts = this.#trusts;
    const isClosing = (): boolean => this.#closing;
    const teller = this.#teller;
    const absence = this.#absence;
    const gate = this.#gate;
    const connect = (options: Pick<ConnectOptions, 'timeoutMs' | 'asStream'>): Connecting => {
      const connecting = gate.open(() => openConnection({ target, insecure, ...options }));
      void connecting.result.then((result) => absence.met(result));
      return connecting;
    };
    return {
      settings,
      spool: this.#spool,
      pool: this.#pool,
      routes: this.#routes,
      waitingRoom: this.#waitingRoom,
      heldBack: this.#heldBack,
      via: this.#via,
      get closing() {
        return isClosing();
      },
      get watcher() {
        return teller.watcher;
      },
      addressOf: (socket) => this.#watching?.replayedFor(socket) ?? socket.remoteAddress ?? '',
      connect: (timeoutMs) => connect({ timeoutMs }),
      connectAsStream: (timeoutMs) => connect({ timeoutMs, asStream: true }),
      nearby: () => ({ adminUrl: this.#inspectorUrl(), answering: absence.answering }),
      trusts,
      record: (record) => teller.over(record),
    };
  }

  #newAbsence(): Absence {
    const settings = this.#settings;
    return new Absence({
      answeringPorts: () => answeringPorts(settings.target, this.#ownPorts()),
      waiting: (absent) => this.#teller.waiting(waitingNotice(absent, settings)),
    });
  }

  #ownPorts(): readonly number[] {
    return [this.url, this.adminUrl ?? ''].map((url) => Number(/:(\d+)$/.exec(url)?.[1] ?? 0));
  }

  /** As a browser on this machine can open it. */
  #inspectorUrl(): string | null {
    return this.adminUrl?.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:') ?? null;
  }

  #watch(): Watching {
    return watching(this, {
      settings: () => this.#settings,
      url: () => this.url,
      lookAtAll: (all) => {
        this.#teller.lookAtAll = all;
      },
      trusts: (address) => this.#trusts(address),
      failed: (error) => this.#teller.adminFailed(error),
      now: () => ({
        ...this.#listener.count(),
        waiting: this.#waitingRoom.waiting,
        spool_memory_bytes: this.#spool.memory.usedBytes,
        spool_disk_bytes: this.#spool.disk.usedBytes,
      }),
    });
  }

  #makeAdmin({ pages }: Watching): AdminServer {
    const { adminHost: host, adminPort: port } = this.#settings;
    return createAdminServer({
      host,
      port,
      ready: () => this.#upstreamAccepts(),
      pages,
      failed: (error) => this.#teller.adminFailed(error),
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
