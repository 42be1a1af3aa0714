/** lastbyte in Vite's dev and preview servers: it starts and stops with them, and writes to their log. */

import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Server as NetServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { Server as TlsServer } from 'node:tls';
import type { ExchangeRecord } from '../exchange/events.ts';
import { redactUrl } from '../observe/redact.ts';
import { severityOf } from '../observe/severity.ts';
import { printable } from '../observe/terminal-text.ts';
import type { Engine } from './engine.ts';
import type { SharedOptions } from './middleware.ts';
import { mount } from './mounted.ts';
import type { Mounted } from './mounted.ts';
import { readEntries } from './vite-entries.ts';
import type { ProxyEvents } from './proxy.ts';

/** Its options have the names and meanings of Vite's `server.proxy`. */
export interface ProxyEntry {
  /** The upstream: `http://127.0.0.1:8000`. A path in it is put before the path of each request. */
  readonly target: string | URL;
  /** Send the target's name in Host.
   *  @default false; true for an entry that is only a target */
  readonly changeOrigin?: boolean | undefined;
  /** Changes path and query. */
  readonly rewrite?: ((path: string) => string) | undefined;
  /** Whether an https target must have a certificate that can be verified.
   *  @default true */
  readonly secure?: boolean | undefined;
  /** Header fields for the upstream. They replace the client's fields of the same names. */
  readonly headers?: Readonly<Record<string, string | number | readonly string[]>> | undefined;
  /** Proxy WebSockets, too.
   *  @default false, unless the target is ws:// or wss:// */
  readonly ws?: boolean | undefined;
}

/** Each key is the beginning of a path (`'/api'`), or a regular expression for path and query (`'^/api/v\\d+/'`). */
export type ProxyEntries = Readonly<Record<string, string | ProxyEntry>>;

/** Options that hold for all entries. */
export type EntriesOptions = Omit<SharedOptions, 'target' | 'changeOrigin' | 'insecure'>;

interface Logger {
  info(message: string, options?: { timestamp?: boolean }): void;
  warn(message: string, options?: { timestamp?: boolean }): void;
  error(message: string, options?: { timestamp?: boolean }): void;
}

/** What the plugin needs of Vite's ViteDevServer and PreviewServer. */
export interface ViteServer {
  readonly middlewares: {
    use(
      handler: (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void,
    ): unknown;
  };
  /** Null where Vite itself is a middleware. */
  readonly httpServer: object | null;
  readonly config: {
    readonly logger: Logger;
    readonly server: { readonly middlewareMode?: boolean | { readonly server?: object } | undefined };
  };
  /** Of a dev server. */
  readonly environments?: Readonly<Record<string, object>>;
}

/** A plugin for Vite, by its structure: Vite need not be installed. */
export interface VitePlugin {
  readonly name: string;
  readonly apply: 'serve';
  configureServer(server: ViteServer): void;
  configurePreviewServer(server: ViteServer): void;
  closeBundle(this: object): Promise<void>;
}

/** Vite cuts its own connections when it closes, so a shutdown waits only briefly for responses. */
const SHUTDOWN_TIMEOUT_MS = 1000;

/**
 * Replaces `server.proxy` and `preview.proxy`.
 *
 * @example
 * export default { plugins: [lastbyte({ '/api': 'http://127.0.0.1:8000' })] };
 *
 * @param options for all entries: those of `createProxy`, except where it listens and what it logs; `admin` is off
 * @throws ConfigError naming every entry and option that is wrong
 */
export function lastbyte(entries: ProxyEntries, options: EntriesOptions = {}): VitePlugin {
  const routes = readEntries(entries, { shutdownTimeout: SHUTDOWN_TIMEOUT_MS, ...options });
  const inside = new Set<ViteIntegration>();
  const configure = (server: ViteServer): void => {
    const events = new EventEmitter<ProxyEvents>();
    const engine = mount(events, routes);
    logTo(events, server.config.logger);
    const here = new ViteIntegration(engine, server, () => inside.delete(here));
    inside.add(here);
    here.take();
  };
  return {
    name: 'lastbyte',
    apply: 'serve',
    configureServer: configure,
    configurePreviewServer: configure,
    async closeBundle() {
      const environment: unknown = Reflect.get(this, 'environment');
      await Promise.all([...inside].filter((here) => here.isOf(environment)).map((here) => here.close()));
    },
  };
}

/** lastbyte in one of Vite's servers. On a restart, Vite creates the new server before it closes the old one. */
class ViteIntegration {
  readonly #engine: Engine<Mounted>;
  readonly #server: ViteServer;
  readonly #closed: () => void;
  /** A copy: on a restart, Vite replaces the environments in the old server's object. */
  readonly #environments: ReadonlySet<unknown>;
  #starting = false;
  #closing: Promise<void> | null = null;

  constructor(engine: Engine<Mounted>, server: ViteServer, closed: () => void) {
    this.#engine = engine;
    this.#server = server;
    this.#closed = closed;
    this.#environments = new Set(Object.values(server.environments ?? {}));
  }

  take(): void {
    const { frontend: mounted } = this.#engine;
    const { middlewares, httpServer } = this.#server;
    middlewares.use((request, response, next) => {
      this.#start();
      mounted.request(request, response, next);
    });
    const server = httpServer ?? this.#outerServer();
    if (!(server instanceof NetServer)) return;
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      mounted.upgrade(request, socket, head);
    });
    server.once('close', () => void this.close());
    if (httpServer === null) return;
    // On a restart, the admin port is free only when the previous server has closed.
    server.once('listening', () => this.#start());
    if (server instanceof TlsServer) speakHttp1(server);
  }

  isOf(environment: unknown): boolean {
    return this.#environments.has(environment);
  }

  close(): Promise<void> {
    this.#closing ??= this.#engine.close().finally(this.#closed);
    return this.#closing;
  }

  #outerServer(): object | null {
    const { middlewareMode } = this.#server.config.server;
    return typeof middlewareMode === 'object' ? (middlewareMode.server ?? null) : null;
  }

  #start(): void {
    if (this.#starting || this.#engine.adminUrl === null) return;
    this.#starting = true;
    const { logger } = this.#server.config;
    this.#engine.start().then(
      () => logger.info(`  lastbyte's inspector: ${this.#engine.adminUrl}`),
      (error: Error) => logger.error(`lastbyte has no inspector: ${error.message}`, { timestamp: true }),
    );
  }
}

/** Writes problems to Vite's log, a sentence each. */
function logTo(events: EventEmitter<ProxyEvents>, logger: Logger): void {
  events.on('exchange', (record) => {
    if (severityOf(record) === 'problem') logger.error(lineOf(record), { timestamp: true });
  });
  const warn = ({ sentence }: { readonly sentence: string }): void =>
    logger.warn(printable(`lastbyte: ${sentence}`), { timestamp: true });
  events.on('waiting', warn).on('strayBytes', warn);
  events.on('adminError', ({ message }) =>
    logger.error(printable(`lastbyte: ${message}`), { timestamp: true }),
  );
}

function lineOf({ method, url, status, sentence }: ExchangeRecord): string {
  return printable(`lastbyte: ${method} ${redactUrl(url)} ${status}: ${sentence ?? ''}`);
}

/** As in a ClientHello (RFC 7301): the length of the name, and the name. */
const HTTP1 = Buffer.from('\x08http/1.1', 'latin1');

/** Vite's https server also speaks HTTP/2, where an exchange cannot have a connection of its own. */
function speakHttp1(server: TlsServer): void {
  Reflect.set(server, 'ALPNProtocols', HTTP1);
}
