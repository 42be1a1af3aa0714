/** Takes requests from an http.Server that is not ours, and changes its sockets no more than an exchange needs. */

import { ServerResponse } from 'node:http';
import type { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { linger, reset } from '../client/linger.ts';
import { responseTo } from '../client/response-writer.ts';
import { parse, putBack } from '../client/upgrade-offer.ts';
import type { Settings } from '../config/settings.ts';
import { hostAndPort } from '../config/target.ts';
import { ProxyError } from '../errors.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Asked, Services } from '../exchange/transport.ts';
import { parseRequest } from '../http/request.ts';
import type { Request } from '../http/request.ts';
import { otherVersion } from '../http/request-check.ts';
import { rewrittenRequest } from '../http/rewriting.ts';
import type { Rewriting } from '../http/rewriting.ts';
import { offeredProtocols } from '../http/upgrade.ts';
import { Engine } from './engine.ts';
import type { ClientCount, Frontend, Running } from './engine.ts';
import type { ProxyEvents } from './proxy.ts';

/** Which requests go where, and what is changed about them. */
export interface Route {
  /** By the request target as the client sent it. */
  readonly matches: (url: string) => boolean;
  /** Whether it takes this upgrade, if the path matches. */
  readonly takesUpgrade: (incoming: IncomingMessage) => boolean;
  readonly settings: Settings;
  readonly rewriting: Rewriting;
}

type ServedRoute = Route & { readonly services: Services };

/** As in Connect and Express: passes the request, or an error, to the next middleware. */
type Next = (error?: unknown) => void;

/** One exchange, on a socket of the other server. */
interface ActiveExchange {
  readonly socket: Socket;
  current: Exchange | null;
}

/** Serves these routes, which share what is created once: the first route's settings decide it. */
export function mount(
  events: EventEmitter<ProxyEvents>,
  routes: readonly [Route, ...Route[]],
): Engine<Mounted> {
  return new Engine(routes[0].settings, events, (engine) => new Mounted(engine, routes));
}

export class Mounted implements Frontend {
  readonly halfCloses = false;
  readonly #engine: Engine;
  readonly #routes: readonly ServedRoute[];
  /** Each resolves when its exchange has written its record. */
  readonly #active = new Map<ActiveExchange, Promise<void>>();
  readonly #lingering = new Set<Socket>();
  #url = '';

  constructor(engine: Engine, routes: readonly Route[]) {
    this.#engine = engine;
    this.#routes = routes.map((route) => ({ ...route, services: engine.serve(route.settings) }));
  }

  /** Where the other server was last reached. */
  get url(): string {
    return this.#url;
  }

  count(): ClientCount {
    const inUse = Array.from(this.#active.keys(), ({ socket }) => socket);
    const { size: connections } = new Set([...inUse, ...this.#lingering]);
    return { running: this.#active.size, connections, lingering: this.#lingering.size };
  }

  /** Responds to the request, or calls `next` if no route matches. Never throws. */
  request(incoming: IncomingMessage, response: ServerResponse, next?: Next): void {
    const route = this.#routes.find(({ matches }) => matches(clientUrl(incoming)));
    if (route === undefined) {
      if (next === undefined) response.writeHead(404).end();
      else next();
      return;
    }
    const unfit = whyUnfit(incoming, response);
    if (unfit !== null) return decline(response, unfit, next);
    this.#track(incoming.socket, (active) => this.#exchange(active, route, incoming, response));
  }

  /** @returns whether a route matches; otherwise nothing was changed */
  upgrade(incoming: IncomingMessage, stream: Duplex, head: Buffer): boolean {
    const route = this.#routes.find(
      ({ matches, takesUpgrade }) => matches(clientUrl(incoming)) && takesUpgrade(incoming),
    );
    if (route === undefined) return false;
    const { socket, httpVersionMinor, rawHeaders } = incoming;
    // The other server may pass it on later than it came, when the last response was sent.
    if (this.#lingering.has(socket)) return true;
    // With a request body, Node 26 passes a stream that is not the socket. An earlier response may still use the socket.
    if (stream !== socket || isAnswering(socket)) {
      reset(socket);
      return true;
    }
    if (offeredProtocols({ minor: httpVersionMinor === 0 ? 0 : 1, fields: rawHeaders }).length > 0)
      this.#track(socket, (active) => this.#switch(active, route, incoming, head));
    else this.#giveBack(incoming, head);
    return true;
  }

  async close(): Promise<void> {
    await this.settled();
    await Promise.all([...this.#lingering].map(closed));
  }

  stop(error: ProxyError): void {
    for (const { current } of this.#active.keys()) current?.stop(error);
  }

  destroy(): void {
    for (const { socket } of this.#active.keys()) reset(socket);
    for (const socket of this.#lingering) socket.destroy();
  }

  async settled(): Promise<void> {
    await Promise.all(this.#active.values());
  }

  #track(socket: Socket, run: (active: ActiveExchange) => Promise<void>): void {
    if (this.#url === '') this.#url = urlOf(socket);
    const active: ActiveExchange = { socket, current: null };
    // Node's http.Server calls this after a connection's last response, and it would close at once.
    const destroySoon = (): void => this.#linger(socket);
    const running = async (): Promise<void> => {
      try {
        await run(active);
      } catch {
        // A failure must not affect other exchanges.
        reset(socket);
      }
    };
    socket.destroySoon = destroySoon;
    const over = running().then(() => {
      this.#active.delete(active);
      if (socket.destroySoon === destroySoon && !this.#lingering.has(socket))
        Reflect.deleteProperty(socket, 'destroySoon');
    });
    this.#active.set(active, over);
  }

  async #exchange(
    active: ActiveExchange,
    route: ServedRoute,
    incoming: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    // The other server sends the responses to earlier requests of the connection first.
    if (response.socket === null && !(await isTurn(response, active.socket))) return;
    if (active.socket.destroyed) return;
    const { timeout = 0 } = active.socket;
    // Without a listener, Node would close the connection.
    response.on('timeout', () => active.current?.clientTimedOut());
    // Before Node's own listener, which sets the timeout of an idle connection.
    response.prependListener('finish', () => active.socket.setTimeout(timeout));
    await carry(active, this.#engine.begin(this.#asked(route, incoming, response), false));
  }

  async #switch(
    active: ActiveExchange,
    route: ServedRoute,
    incoming: IncomingMessage,
    head: Buffer,
  ): Promise<void> {
    const { socket } = active;
    const timedOut = (): void => active.current?.clientTimedOut();
    // Node stops handling an upgrade's socket: its errors and its timeout.
    socket.on('error', ignore).on('timeout', timedOut);
    const asked = this.#asked(route, incoming, responseTo(incoming));
    await carry(active, this.#engine.beginUpgrade(asked, head));
    socket.off('timeout', timedOut);
  }

  /** An upgrade that nobody supports is ignored (RFC 9110 section 7.8): the request is parsed again without it. */
  #giveBack(incoming: IncomingMessage, head: Buffer): void {
    const { socket } = incoming;
    const server = serverOf(socket);
    if (server === null) return reset(socket);
    putBack(incoming, head);
    void parse(server, socket, isEncrypted(socket));
  }

  #asked({ rewriting, services }: ServedRoute, incoming: IncomingMessage, response: ServerResponse): Asked {
    const { url = '', method, httpVersion, rawHeaders } = incoming;
    const received = parseRequest({ method, url: clientUrl(incoming), httpVersion, rawHeaders });
    const { request, fault } = rewrittenRequest(received, url, rewriting);
    const refusal =
      (this.#engine.isClosing ? new ProxyError('shutting_down', CLOSED) : null) ??
      bodyIsGone(incoming, received) ??
      fault;
    const encrypted = isEncrypted(incoming.socket);
    return { services, request, incoming, response, encrypted, keepAliveTimeoutMs: null, refusal };
  }

  #linger(socket: Socket): void {
    if (!this.#lingering.has(socket)) socket.once('close', () => this.#lingering.delete(socket));
    this.#lingering.add(socket);
    linger(socket, this.#engine.settings);
  }
}

async function carry(active: ActiveExchange, { exchange, over }: Running): Promise<void> {
  active.current = exchange;
  await over;
}

/** The whole target: Express and Connect keep it in `originalUrl` where they are mounted at a path. */
function clientUrl(incoming: IncomingMessage & { readonly originalUrl?: unknown }): string {
  const { url = '', originalUrl } = incoming;
  return typeof originalUrl === 'string' ? originalUrl : url;
}

/** Why this request cannot be proxied; null: it can. */
function whyUnfit(incoming: IncomingMessage, response: ServerResponse): Error | null {
  if (incoming.httpVersionMajor > 1)
    return otherVersion('HTTP/2, which lastbyte does not take from this server');
  if (!(incoming.socket instanceof Socket) || !(response instanceof ServerResponse))
    return new TypeError("lastbyte needs the request and response of Node's http.Server.");
  if (response.headersSent || response.writableEnded)
    return new Error('lastbyte was handed a request that is answered already: put it before what answers.');
  return null;
}

function decline(response: ServerResponse, error: Error, next: Next | undefined): void {
  if (next !== undefined) next(error);
  else if (response.headersSent) response.destroy();
  else response.writeHead(error instanceof ProxyError ? error.status : 500).end(`${error.message}\n`);
}

const CLOSED = 'lastbyte was closed and accepts no more requests from this server.';

function bodyIsGone(incoming: IncomingMessage, { framing }: Request): ProxyError | null {
  if (framing.kind === 'none' || !(incoming.readableDidRead || incoming.readableEnded)) return null;
  return new ProxyError(
    'request_body_consumed',
    'The request body had been read before lastbyte got the request. Put lastbyte before any body parser, ' +
      'such as express.json().',
  );
}

/** Resolves when all earlier responses of the connection are sent; false: the client left first. */
function isTurn(response: ServerResponse, socket: Socket): Promise<boolean> {
  if (socket.destroyed) return Promise.resolve(false);
  return new Promise((resolve) => {
    const left = (): void => resolve(false);
    socket.once('close', left);
    response.once('socket', () => {
      socket.off('close', left);
      resolve(true);
    });
  });
}

/** Node keeps the response in progress there. */
function isAnswering(socket: Socket): boolean {
  return Boolean(Reflect.get(socket, '_httpMessage'));
}

function isEncrypted(socket: Socket): boolean {
  return socket instanceof TLSSocket;
}

function serverOf(socket: Socket): Server | null {
  const server: unknown = Reflect.get(socket, 'server');
  return server instanceof Server ? server : null;
}

function urlOf(socket: Socket): string {
  const address = serverOf(socket)?.address() ?? null;
  if (address === null) return '';
  if (typeof address === 'string') return `unix:${address}`;
  return `${isEncrypted(socket) ? 'https' : 'http'}://${hostAndPort(address.address, address.port)}`;
}

async function closed(socket: Socket): Promise<void> {
  if (socket.closed) return;
  await new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
  });
}

function ignore(): void {}
