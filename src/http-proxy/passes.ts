/**
 * http-proxy's passes: every request enters through its `web` or `ws`. A buffered exchange is our own pass before http-proxy's
 * `stream`; all others go through `stream` itself.
 */

import { EventEmitter } from 'node:events';
import { Agent } from 'node:http';
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import { dirname, sep } from 'node:path';
import type HttpProxy from 'http-proxy';
import type { Exchange } from '../exchange/exchange.ts';
import type { ForwardedRequest } from '../exchange/forwarded-heads.ts';
import { fieldValue } from '../http/fields.ts';
import { serializeFields } from '../http/forwarding.ts';
import type { UpstreamConnection } from '../upstream/connection.ts';
import type { ResponseObservation } from './observed-response.ts';

/** The options object that http-proxy gives to each pass. */
interface PassOptions extends HttpProxy.ServerOptions {
  readonly buffered?: BufferedRun;
}

/** An exchange for our pass to run. http-proxy copies the options, but not this object. */
interface BufferedRun {
  readonly exchange: Exchange;
  running: Promise<void> | null;
}

/** Where http-proxy keeps its passes. `before()` adds one; its API cannot remove one. */
interface PassLists {
  webPasses: { readonly name: string }[];
  wsPasses: { readonly name: string }[];
}

/** Required, but never used: each request brings a connected socket. */
const TARGET = { protocol: 'http:', host: 'localhost', hostname: 'localhost', port: 80 } as unknown as string;

const NOTHING: Buffer = Buffer.alloc(0);

export class Passes {
  readonly #proxy: HttpProxy;
  readonly #maxHeaderBytes: number;

  /** @param maxHeaderBytes the largest head of a response */
  constructor(maxHeaderBytes: number) {
    this.#maxHeaderBytes = maxHeaderBytes;
    this.#proxy = loadHttpProxy().createProxyServer({
      target: TARGET,
      // We relay the response: http-proxy would end a truncated one cleanly, or not at all.
      selfHandleResponse: true,
      // Otherwise it parses the target with url.parse(), which prints DEP0169. The head with the target is our own anyway.
      toProxy: true,
      prependPath: false,
    });
    this.#arrangePasses();
    this.#listen();
  }

  /** Runs a buffered exchange in our pass, before http-proxy's `stream`. Resolves when it is over. */
  buffered(request: IncomingMessage, response: ServerResponse, exchange: Exchange): Promise<void> {
    const buffered: BufferedRun = { exchange, running: null };
    const options: PassOptions = { buffered };
    this.#proxy.web(request, response, options);
    return buffered.running ?? Promise.resolve();
  }

  /** Forwards a request, unbuffered, over its own connection. */
  stream(
    request: IncomingMessage,
    response: ServerResponse,
    forwarded: ForwardedRequest,
    connection: UpstreamConnection,
    observation: ResponseObservation,
  ): void {
    const agent = new OneConnectionAgent(connection.socket, request, forwarded, this.#maxHeaderBytes);
    this.#proxy.web(handover(request, observation), response, { agent, buffer: request });
  }

  /** Forwards an upgrade, and joins both sockets when the upstream switches. */
  upgrade(
    request: IncomingMessage,
    socket: Socket,
    forwarded: ForwardedRequest,
    connection: UpstreamConnection,
    observation: ResponseObservation,
  ): void {
    const agent = new OneConnectionAgent(connection.socket, request, forwarded, this.#maxHeaderBytes);
    // http-proxy writes the head of the 101 as text without an encoding.
    socket.setDefaultEncoding('latin1');
    this.#proxy.ws(handover(request, observation), socket, NOTHING, { agent });
  }

  #arrangePasses(): void {
    const proxy = this.#proxy as HttpProxy &
      PassLists & { before(type: 'web', name: string, pass: unknown): void };
    const ourPass = (_request: unknown, _response: unknown, { buffered }: PassOptions): boolean => {
      if (buffered === undefined) return false;
      buffered.running = buffered.exchange.run();
      return true;
    };
    proxy.before('web', 'stream', ourPass);
    // It would change the request that it is given.
    proxy.webPasses = proxy.webPasses.filter((pass) => pass.name !== 'deleteLength');
    // It allows WebSocket only.
    proxy.wsPasses = proxy.wsPasses.filter((pass) => pass.name !== 'checkMethodAndHeader');
  }

  #listen(): void {
    this.#proxy.on('proxyReq', (upstream, request) => {
      const observation = observationOf(request);
      upstream.on('information', (interim) => observation.informed(interim));
      // Without a listener, Node would close the connection without an event (test/facts/passing-on.test.ts).
      upstream.on('upgrade', () => observation.switched());
      // Node would send the head with the first bytes of the body, which the client may send only after a response.
      if (!upstream.writableEnded) upstream.write(NOTHING);
    });
    this.#proxy.on('proxyRes', (response, request) => observationOf(request).responded(response));
    this.#proxy.on('error', (error, request) => observationOf(request).failed(error));
    this.#proxy.on('proxyReqWs', (upstream, request) => {
      const observation = observationOf(request);
      upstream.on('information', (interim) => observation.informed(interim));
      // http-proxy adds its listeners right after this event. They would join an exchange that was given up, send a decoded body
      // with its original framing, and after a failure close the client's socket before the response.
      queueMicrotask(() => {
        const joins = upstream.listeners('upgrade');
        upstream.removeAllListeners('upgrade').on('upgrade', (response: IncomingMessage, ...rest) => {
          if (!observation.switched()) return;
          response.headers = asOneField(response.rawHeaders);
          for (const join of joins) join.call(upstream, response, ...rest);
        });
        upstream.removeAllListeners('response').on('response', (response) => observation.responded(response));
        upstream.removeAllListeners('error').on('error', (error) => observation.failed(error));
      });
    });
  }
}

/**
 * Stands in for the client's request. From that, http-proxy would only read the head, which it cannot forward unchanged, and
 * listen for its end, which the client's connection reports to the exchange anyway.
 */
class Handover extends EventEmitter {
  readonly method: string | undefined;
  readonly url = '/';
  readonly headers = {};
  readonly socket: Socket;
  readonly observation: ResponseObservation;

  constructor({ method, socket }: IncomingMessage, observation: ResponseObservation) {
    super();
    this.method = method;
    this.socket = socket;
    this.observation = observation;
  }
}

function handover(request: IncomingMessage, observation: ResponseObservation): IncomingMessage {
  return new Handover(request, observation) as unknown as IncomingMessage;
}

function observationOf(request: IncomingMessage): ResponseObservation {
  return (request as unknown as Handover).observation;
}

/** Gives a request the connection that was opened for it, and our own head. */
class OneConnectionAgent extends Agent {
  readonly #socket: Socket;
  readonly #head: string;
  readonly #isChunked: boolean;
  readonly #maxHeaderBytes: number;

  constructor(
    socket: Socket,
    { method = '' }: IncomingMessage,
    { target, fields }: ForwardedRequest,
    maxHeaderBytes: number,
  ) {
    super({ keepAlive: false });
    this.#socket = socket;
    this.#head = `${method} ${target} HTTP/1.1\r\n${serializeFields(fields)}\r\n`;
    this.#isChunked = fieldValue(fields, 'transfer-encoding') !== undefined;
    this.#maxHeaderBytes = maxHeaderBytes;
  }

  override createConnection(): Socket {
    return this.#socket;
  }

  /** Node calls it after creating a request and before writing its head. */
  addRequest(request: ClientRequest, ...rest: unknown[]): void {
    Object.assign(request, {
      // Node would sort the fields and recode Content-Disposition (nodejs/node#58240); test/facts/passing-on.test.ts.
      _header: this.#head,
      chunkedEncoding: this.#isChunked,
      // Node would silently drop the response's fields after the first thousand; their size is limited.
      maxHeadersCount: 0,
      maxHeaderSize: this.#maxHeaderBytes,
    });
    const base = Agent.prototype as unknown as { addRequest(...values: unknown[]): void };
    base.addRequest.call(this, request, ...rest);
  }
}

/**
 * For http-proxy, which writes each property as a line. As properties, repeated fields would move together and numeric names
 * to the front, so all further lines are part of the first field's value.
 */
function asOneField(fields: readonly string[]): Record<string, string> {
  const [name, value, ...others] = fields;
  if (name === undefined || value === undefined) return {};
  const lines = `${value}\r\n${serializeFields(others)}`;
  return { [name]: lines.slice(0, -'\r\n'.length) };
}

/**
 * Loads http-proxy without the deprecated `util._extend`, which it reads once, when it is loaded. Calling that prints DEP0060 on
 * Node 22 and later, and reverses the order of the fields (test/facts/http-proxy-passes.test.ts). It gets `Object.assign`
 * instead. The copy is only ours: an application may have loaded http-proxy before, or load it later and expect the original.
 */
export function loadHttpProxy(): typeof HttpProxy {
  const require = createRequire(import.meta.url);
  const folder = dirname(require.resolve('http-proxy')) + sep;
  const util = require('node:util') as Record<string, unknown>;
  const original = Object.getOwnPropertyDescriptor(util, '_extend');
  const others = takeFromCache(require, folder);
  Object.defineProperty(util, '_extend', {
    value: Object.assign,
    configurable: true,
    writable: true,
    enumerable: true,
  });
  try {
    return require('http-proxy') as typeof HttpProxy;
  } finally {
    takeFromCache(require, folder);
    Object.assign(require.cache, others);
    if (original === undefined) delete util['_extend'];
    else Object.defineProperty(util, '_extend', original);
  }
}

function takeFromCache(require: NodeJS.Require, folder: string): NodeJS.Dict<NodeModule> {
  const taken: NodeJS.Dict<NodeModule> = {};
  for (const path of Object.keys(require.cache).filter((name) => name.startsWith(folder))) {
    taken[path] = require.cache[path];
    delete require.cache[path];
  }
  return taken;
}
