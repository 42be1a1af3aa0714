/** Puts a proxy together, except for where its requests come in: what exchanges share, who watches them, and the shutdown. */

import { randomBytes } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { trustIn } from '../client/peer.ts';
import type { Settings } from '../config/settings.ts';
import { targetUrl } from '../config/target.ts';
import { packageVersion } from '../config/version.ts';
import type { ProxyError } from '../errors.ts';
import { BufferedTransport } from '../exchange/buffered.ts';
import { Exchange } from '../exchange/exchange.ts';
import { strayBytesNotice } from '../exchange/explain.ts';
import { HeldBackHints, waitingNotice } from '../exchange/notices.ts';
import { shuttingDown } from '../exchange/refuse.ts';
import type { Asked, Services } from '../exchange/transport.ts';
import { Passes } from '../http-proxy/passes.ts';
import { StreamedTransport, UpgradedTransport } from '../http-proxy/transports.ts';
import { pathStreams } from '../http/streaming.ts';
import { apiPages } from '../observe/inspector/api.ts';
import type { Feed } from '../observe/inspector/feed.ts';
import { Inspector } from '../observe/inspector/inspector.ts';
import type { Inspected, Load } from '../observe/inspector/inspector.ts';
import { Metrics } from '../observe/metrics.ts';
import { pageFiles } from '../observe/pages.ts';
import { Spool } from '../spool/spool.ts';
import { Absence, accepts, answeringPorts, WaitingRoom } from '../upstream/absence.ts';
import { ConnectGate } from '../upstream/connect-gate.ts';
import type { Connecting, ConnectOptions } from '../upstream/connection.ts';
import { openConnection } from '../upstream/dial.ts';
import { ConnectionPool } from '../upstream/pool.ts';
import { Routes } from '../upstream/routes.ts';
import { createAdminServer } from './admin.ts';
import type { AdminServer } from './admin.ts';
import { EventPublisher } from './event-publisher.ts';
import type { ProxyEvents } from './proxy.ts';
import { Replays } from './replay.ts';

/** How long before the deadline waiting requests are refused, so that their clients have time to read why. */
const REFUSE_WAITING_MS = 1000;
/** Exchanges that were cut off write their records at once, unless they are still connecting. */
const LAST_RECORDS_MS = 500;

/** Where requests come in: our own listener, or another server that hands them over. */
export interface Frontend {
  /** Where clients reach it; empty: not known yet. */
  readonly url: string;
  /** Whether a client that has closed its sending side gets a response. */
  readonly halfCloses: boolean;
  count(): ClientCount;
  /** Accepts nothing more. Resolves when all requests and connections are over. */
  close(): Promise<void>;
  /** Refuses what waits, and cuts what streams; complete responses in progress and closing connections continue. */
  stop(error: ProxyError): void;
  /** Ends everything now. */
  destroy(): void;
  /** Resolves when every exchange has written its record, and every connection that is ours has emitted its end. */
  settled(): Promise<void>;
}

export interface ClientCount {
  /** Exchanges whose record is not written yet. */
  readonly running: number;
  readonly connections: number;
  /** Connections whose last response has been sent and that are waiting to close. */
  readonly lingering: number;
}

/** An exchange, and when it is over. */
export interface Running {
  readonly exchange: Exchange;
  /** Resolves when the record is written. */
  readonly over: Promise<void>;
}

export class Engine<Front extends Frontend = Frontend> implements Inspected {
  readonly frontend: Front;
  readonly publisher: EventPublisher;
  readonly #settings: Settings;
  readonly #spool: Spool;
  readonly #passes: Passes;
  /** The name by which this proxy recognizes itself in Via. */
  readonly #via = `lastbyte-${randomBytes(4).toString('hex')}`;
  readonly #waiters = { count: 0 };
  readonly #upstreams = new Set<Services>();
  readonly #admin: Admin | null;
  #closing = false;

  /** @param settings for what is created once: spool, largest head, admin listener */
  constructor(
    settings: Settings,
    events: EventEmitter<ProxyEvents>,
    newFrontend: (engine: Engine<Front>) => Front,
  ) {
    this.#settings = settings;
    this.publisher = new EventPublisher(events);
    this.#spool = new Spool(settings);
    this.#passes = new Passes(settings.maxHeaderBytes);
    this.frontend = newFrontend(this);
    this.#admin = settings.admin ? this.#newAdmin() : null;
  }

  /** What exchanges with these settings share. */
  serve(settings: Settings): Services {
    const { target, insecure } = settings;
    const { publisher } = this;
    const gate = new ConnectGate();
    const absence = new Absence({
      answeringPorts: () => answeringPorts(target, [portIn(this.url), portIn(this.adminUrl ?? '')]),
      waiting: (absent) => publisher.publish('waiting', waitingNotice(absent, settings)),
    });
    const connect = (options: Pick<ConnectOptions, 'timeoutMs' | 'asStream'>): Connecting => {
      const connecting = gate.open(() => openConnection({ target, insecure, ...options }));
      void connecting.result.then((result) => absence.met(result));
      return connecting;
    };
    const tellOfStrayBytes = (): void => publisher.publish('strayBytes', strayBytesNotice(targetUrl(target)));
    const services: Services = {
      settings,
      spool: this.#spool,
      pool: new ConnectionPool(settings, tellOfStrayBytes),
      routes: new Routes(),
      waitingRoom: new WaitingRoom(this.#waiters, () => absence.waitBegins()),
      heldBack: new HeldBackHints(),
      via: this.#via,
      isClosing: () => this.#closing,
      connect: (timeoutMs) => connect({ timeoutMs }),
      connectAsStream: (timeoutMs) => connect({ timeoutMs, asStream: true }),
      addressOf: (socket: Socket) => this.#admin?.replays.clientOf(socket) ?? socket.remoteAddress ?? '',
      nearby: () => ({ adminUrl: browsable(this.adminUrl), answering: absence.answering }),
      trusts: trustIn(settings.trustProxy),
      watch: publisher.watch,
      record: (record) => publisher.publish('exchange', record),
    };
    this.#upstreams.add(services);
    return services;
  }

  /** No new exchange uses these. Their connections, including those in use, are not kept. */
  drop(services: Services): void {
    this.#upstreams.delete(services);
    services.pool.close();
  }

  /** Begins the exchange of a request, with the transport that its path needs. */
  begin(asked: Asked, expectsContinue: boolean): Running {
    const { incoming, response, request, services } = asked;
    if (pathStreams(request.target, services.settings.stream)) {
      const exchange = new Exchange(asked, new StreamedTransport(this.#passes, asked), expectsContinue);
      return { exchange, over: exchange.run() };
    }
    const exchange = new Exchange(asked, new BufferedTransport(asked), expectsContinue);
    return { exchange, over: this.#passes.buffered(incoming, response, exchange) };
  }

  /** @param received what the client sent after the request's head */
  beginUpgrade(asked: Asked, received: Buffer): Running {
    const exchange = new Exchange(asked, new UpgradedTransport(this.#passes, asked, received), false);
    return { exchange, over: exchange.run() };
  }

  get isClosing(): boolean {
    return this.#closing;
  }

  /** The settings in force: of the first upstream, if there are several. */
  get settings(): Settings {
    const [first] = this.#upstreams;
    return first?.settings ?? this.#settings;
  }

  get url(): string {
    return this.frontend.url;
  }

  /** Null: there is no admin listener. */
  get adminUrl(): string | null {
    return this.#admin?.server.url ?? null;
  }

  load(): Load {
    return {
      ...this.frontend.count(),
      waiting: this.#waiters.count,
      spool_memory_bytes: this.#spool.memory.usedBytes,
      spool_disk_bytes: this.#spool.disk.usedBytes,
    };
  }

  watchAll(all: boolean): void {
    this.publisher.watchesAll = all;
  }

  /** Whether the forwarding fields of the client at this address are believed. */
  trusts(address: string): boolean {
    return [...this.#upstreams].some((one) => one.trusts(address));
  }

  failed(error: unknown): void {
    this.publisher.failed(error);
  }

  /** @throws the system's error, such as EADDRINUSE, when the admin listener cannot listen */
  async start(): Promise<void> {
    await this.#admin?.server.start();
  }

  /**
   * Lets exchanges and closing connections finish. Shortly before `shutdownTimeoutMs` is over, waiting requests are refused
   * with 503; when it is over, the rest is cut off. Resolves when every exchange has been recorded.
   */
  async close(): Promise<void> {
    this.#closing = true;
    const { frontend } = this;
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
    this.publisher.flush();
    await this.#closeAdmin();
    this.#closePools();
  }

  /** Ends everything at once. */
  destroy(): void {
    this.#closing = true;
    this.frontend.destroy();
    this.publisher.flush();
    void this.#closeAdmin();
    this.#closePools();
  }

  #closePools(): void {
    for (const { pool } of this.#upstreams) pool.close();
  }

  #newAdmin(): Admin {
    const { adminHost: host, adminPort: port } = this.#settings;
    const inspector = new Inspector(this, packageVersion());
    const metrics = new Metrics(this, inspector.version);
    const replays = new Replays(inspector, this);
    const { publisher } = this;
    publisher.listen('begun', (begun) => inspector.begun(begun));
    publisher.listen('exchange', (record) => inspector.done(record));
    publisher.listen('exchange', (record) => metrics.add(record));
    publisher.listen('closed', (closed) => inspector.closed(closed));
    publisher.listen('adminError', () => metrics.adminFailed());
    const pages = [
      ...pageFiles(),
      ...apiPages(inspector, (entry, request) => replays.send(entry, request)),
      metrics.page,
    ];
    const server = createAdminServer({
      host,
      port,
      ready: () => this.#upstreamsAccept(),
      pages: pages.map((page) => ({
        ...page,
        // A page includes every exchange whose response is complete.
        respond: (request) => {
          publisher.flush();
          return page.respond(request);
        },
      })),
      failed: (error) => publisher.failed(error),
    });
    return { server, feed: inspector.feed, replays };
  }

  /** Whether each upstream accepts a connection now. */
  async #upstreamsAccept(): Promise<boolean> {
    const all = Array.from(this.#upstreams, ({ settings, connect }) =>
      accepts(connect(settings.connectTimeoutMs)),
    );
    return (await Promise.all(all)).every(Boolean);
  }

  async #closeAdmin(): Promise<void> {
    this.#admin?.feed.close();
    this.#admin?.replays.close();
    await this.#admin?.server.close();
  }
}

/** The admin listener, and what it serves that must be closed. */
interface Admin {
  readonly server: AdminServer;
  readonly feed: Feed;
  readonly replays: Replays;
}

function portIn(url: string): number {
  return Number(/:(\d+)$/.exec(url)?.[1] ?? 0);
}

/** As a browser on this machine can open it. */
function browsable(url: string | null): string | null {
  return url?.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:') ?? null;
}

async function within(done: Promise<void>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([done, over]);
  clearTimeout(timer);
}
