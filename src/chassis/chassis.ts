/**
 * http-proxy as the chassis: every request enters through its `web` and `ws`, and what is not buffered leaves through
 * its own `stream` passes. The buffered exchange is a pass of ours before `stream`.
 */

import { Agent } from 'node:http';
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import type HttpProxy from 'http-proxy';
import type { ForwardedRequest } from '../exchange/request-head.ts';
import { lengthLast } from '../http/forwarding.ts';
import type { UpstreamConnection } from '../upstream/connection.ts';
import { loadHttpProxy } from './load-http-proxy.ts';

/** How a passed-on request fares. http-proxy's events are the proxy's; these are one request's. */
export interface PassedOn {
  /** The upstream request is about to be sent. */
  sending?(request: ClientRequest): void;
  /** A final response; for an upgrade, a response that refuses it. */
  responded(response: IncomingMessage): void;
  /** The upstream has switched protocols; http-proxy is about to join both sockets. */
  switched?(response: IncomingMessage): void;
  /** May come before or after `responded`. */
  failed(error: Error): void;
}

/** What a request carries through http-proxy's passes, in the options object that they are given. */
interface PassOptions extends HttpProxy.ServerOptions {
  /** Set before the passes: calls what takes the request. */
  readonly take?: () => void;
}

/** http-proxy keeps its passes here; `before()` adds to them, nothing of its API removes one. */
interface Passes {
  webPasses: { readonly name: string }[];
  wsPasses: { readonly name: string }[];
}

/** The address is only for show: each request brings a connected socket. */
const TARGET = { protocol: 'http:', host: 'localhost', hostname: 'localhost', port: 80 } as unknown as string;

export class Chassis {
  readonly #proxy: HttpProxy;
  readonly #maxHeaderBytes: number;
  readonly #passedOn = new WeakMap<IncomingMessage, PassedOn>();

  /** @param maxHeaderBytes the largest head of a response */
  constructor(maxHeaderBytes: number) {
    this.#maxHeaderBytes = maxHeaderBytes;
    this.#proxy = loadHttpProxy().createProxyServer({
      target: TARGET,
      // The response is relayed by us: http-proxy would end a cut one cleanly, or not at all.
      selfHandleResponse: true,
      // Together: the request target goes on as it came, neither parsed nor joined.
      toProxy: true,
      prependPath: false,
    });
    this.#arrangePasses();
    this.#listen();
  }

  /** A request for the buffered exchange: `run` is called in our pass, before http-proxy's `stream`. */
  buffered(request: IncomingMessage, response: ServerResponse, run: () => Promise<void>): Promise<void> {
    let running = Promise.resolve();
    const options: PassOptions = {
      take: () => {
        running = run();
      },
    };
    this.#proxy.web(request, response, options);
    return running;
  }

  /** Passes a request on, unbuffered, over a connection of its own. */
  stream(
    request: IncomingMessage,
    response: ServerResponse,
    forwarded: ForwardedRequest,
    connection: UpstreamConnection,
    passedOn: PassedOn,
  ): void {
    this.#prepare(request, forwarded, passedOn);
    this.#proxy.web(request, response, { agent: this.#agent(connection, forwarded) });
  }

  /** Passes an upgrade on and joins both sockets when the upstream switches. */
  upgrade(
    request: IncomingMessage,
    socket: Socket,
    head: Buffer,
    forwarded: ForwardedRequest,
    connection: UpstreamConnection,
    passedOn: PassedOn,
  ): void {
    this.#prepare(request, forwarded, passedOn);
    this.#proxy.ws(request, socket, head, { agent: this.#agent(connection, forwarded) });
  }

  /** http-proxy copies the request's fields from here; names keep their case. */
  #prepare(request: IncomingMessage, { fields }: ForwardedRequest, passedOn: PassedOn): void {
    this.#passedOn.set(request, passedOn);
    request.headers = fieldsByName(lengthLast(fields));
  }

  #agent(connection: UpstreamConnection, { target }: ForwardedRequest): OneConnectionAgent {
    return new OneConnectionAgent(connection.socket, target, this.#maxHeaderBytes);
  }

  #arrangePasses(): void {
    const proxy = this.#proxy as HttpProxy &
      Passes & { before(type: 'web', name: string, pass: unknown): void };
    const buffered = (_request: unknown, _response: unknown, options: PassOptions): boolean => {
      options.take?.();
      return options.take !== undefined;
    };
    proxy.before('web', 'stream', buffered);
    // It sets "Content-Length: 0" on a chunked DELETE and leaves the body behind it.
    proxy.webPasses = proxy.webPasses.filter((pass) => pass.name !== 'deleteLength');
    // It knows WebSocket only.
    proxy.wsPasses = proxy.wsPasses.filter((pass) => pass.name !== 'checkMethodAndHeader');
  }

  #listen(): void {
    const find = (request: IncomingMessage): PassedOn | undefined => this.#passedOn.get(request);
    this.#proxy.on('proxyReq', (upstream, request) => find(request)?.sending?.(upstream));
    this.#proxy.on('proxyRes', (response, request) => find(request)?.responded(response));
    this.#proxy.on('error', (error, request) => find(request)?.failed(error));
    this.#proxy.on('proxyReqWs', (upstream, request) => {
      const passedOn = find(request);
      if (passedOn === undefined) return;
      upstream.on('upgrade', (response: IncomingMessage) => {
        // http-proxy writes these to the client: as they came, not folded to lower case.
        response.headers = fieldsByName(response.rawHeaders);
        passedOn.switched?.(response);
      });
      // http-proxy listens as soon as this event is over. It would send a decoded body under its coded framing, and
      // after a failure it would close the client's socket before there is an answer on it.
      queueMicrotask(() => {
        upstream.removeAllListeners('response').on('response', (response) => passedOn.responded(response));
        upstream.removeAllListeners('error').on('error', (error) => passedOn.failed(error));
      });
    });
  }
}

/** Gives a request the one connection that was made for it. */
class OneConnectionAgent extends Agent {
  readonly #socket: Duplex;
  readonly #path: string;
  readonly #maxHeaderBytes: number;

  constructor(socket: Duplex, path: string, maxHeaderBytes: number) {
    super({ keepAlive: false });
    this.#socket = socket;
    this.#path = path;
    this.#maxHeaderBytes = maxHeaderBytes;
  }

  override createConnection(): Duplex {
    return this.#socket;
  }

  /** Node's own hook between making a request and writing its head. */
  addRequest(request: ClientRequest, ...rest: unknown[]): void {
    // http-proxy has joined the path's slashes.
    request.path = this.#path;
    // Node would drop the response's fields above the first thousand in silence; their size is limited.
    Object.assign(request, { maxHeadersCount: 0, maxHeaderSize: this.#maxHeaderBytes });
    const base = Agent.prototype as unknown as { addRequest(...values: unknown[]): void };
    base.addRequest.call(this, request, ...rest);
  }
}

function fieldsByName(fields: readonly string[]): Record<string, string | string[]> {
  const byName = new Map<string, { readonly name: string; readonly values: string[] }>();
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const name = fields[index] ?? '';
    const entry = byName.get(name.toLowerCase()) ?? { name, values: [] };
    entry.values.push(fields[index + 1] ?? '');
    byName.set(name.toLowerCase(), entry);
  }
  return Object.fromEntries(
    Array.from(byName.values(), ({ name, values }) => [
      name,
      values.length === 1 ? (values[0] ?? '') : values,
    ]),
  );
}
