/**
 * http-proxy's passes: every request enters through its `web` and `ws`, and what is not buffered leaves through its own
 * `stream` passes. The buffered exchange is a pass of our own before `stream`.
 */

import { EventEmitter } from 'node:events';
import { Agent } from 'node:http';
import type { ClientRequest, IncomingMessage, InformationEvent, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type HttpProxy from 'http-proxy';
import type { ForwardedRequest } from '../exchange/forwarded-heads.ts';
import { fieldValue } from '../http/fields.ts';
import { serializeFields } from '../http/forwarding.ts';
import type { UpstreamConnection } from '../upstream/connection.ts';
import { loadHttpProxy } from './load.ts';

/** How a passed-on request fares. http-proxy's events are the proxy's; these are one request's. */
export interface PassedOn {
  /** An interim response (1xx). */
  informed(interim: InformationEvent): void;
  /** A final response; for an upgrade, a response that refuses it. */
  responded(response: IncomingMessage): void;
  /** The upstream has switched protocols. True: after an upgrade, http-proxy is to join both sockets now. */
  switched(): boolean;
  /** May come before or after `responded`. */
  failed(error: Error): void;
}

/** What a request carries through http-proxy's passes, in the options object that they are given. */
interface PassOptions extends HttpProxy.ServerOptions {
  readonly buffered?: BufferedRun;
}

interface Runnable {
  run(): Promise<void>;
}

/** An exchange for our pass to run. http-proxy copies the options, but not this object. */
interface BufferedRun {
  readonly exchange: Runnable;
  running: Promise<void> | null;
}

/** http-proxy keeps its passes here; `before()` adds to them, nothing of its API removes one. */
interface PassLists {
  webPasses: { readonly name: string }[];
  wsPasses: { readonly name: string }[];
}

/** The address is only for show: each request brings a connected socket. */
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
      // The response is relayed by us: http-proxy would end a cut one cleanly, or not at all.
      selfHandleResponse: true,
      // Otherwise it parses the target with url.parse(), which prints DEP0169; the target goes out as we wrote it anyway.
      toProxy: true,
      prependPath: false,
    });
    this.#arrangePasses();
    this.#listen();
  }

  /** Runs a buffered exchange in our pass, before http-proxy's `stream`. Resolves when it is over. */
  buffered(request: IncomingMessage, response: ServerResponse, exchange: Runnable): Promise<void> {
    const buffered: BufferedRun = { exchange, running: null };
    const options: PassOptions = { buffered };
    this.#proxy.web(request, response, options);
    return buffered.running ?? Promise.resolve();
  }

  /** Passes a request on, unbuffered, over a connection of its own. */
  stream(
    request: IncomingMessage,
    response: ServerResponse,
    forwarded: ForwardedRequest,
    connection: UpstreamConnection,
    passedOn: PassedOn,
  ): void {
    const agent = new OneConnectionAgent(connection.socket, request, forwarded, this.#maxHeaderBytes);
    this.#proxy.web(handover(request, passedOn), response, { agent, buffer: request });
  }

  /** Passes an upgrade on and joins both sockets when the upstream switches. */
  upgrade(
    request: IncomingMessage,
    socket: Socket,
    forwarded: ForwardedRequest,
    connection: UpstreamConnection,
    passedOn: PassedOn,
  ): void {
    const agent = new OneConnectionAgent(connection.socket, request, forwarded, this.#maxHeaderBytes);
    // http-proxy writes the head of the 101 as text without an encoding.
    socket.setDefaultEncoding('latin1');
    this.#proxy.ws(handover(request, passedOn), socket, NOTHING, { agent });
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
    // It would write to the request that it is given.
    proxy.webPasses = proxy.webPasses.filter((pass) => pass.name !== 'deleteLength');
    // It knows WebSocket only.
    proxy.wsPasses = proxy.wsPasses.filter((pass) => pass.name !== 'checkMethodAndHeader');
  }

  #listen(): void {
    this.#proxy.on('proxyReq', (upstream, request) => {
      const passedOn = passedOnOf(request);
      upstream.on('information', (interim) => passedOn.informed(interim));
      // Without a listener, Node would close the connection and tell nobody (test/facts/passing-on.test.ts).
      upstream.on('upgrade', () => passedOn.switched());
      // Node would send the head with the first of the body, which the client may keep until it has a response.
      if (!upstream.writableEnded) upstream.write(NOTHING);
    });
    this.#proxy.on('proxyRes', (response, request) => passedOnOf(request).responded(response));
    this.#proxy.on('error', (error, request) => passedOnOf(request).failed(error));
    this.#proxy.on('proxyReqWs', (upstream, request) => {
      const passedOn = passedOnOf(request);
      upstream.on('information', (interim) => passedOn.informed(interim));
      // http-proxy listens as soon as this event is over. It would join what was given up before, send a decoded body
      // under its coded framing, and after a failure close the client's socket before there is a response on it.
      queueMicrotask(() => {
        const joins = upstream.listeners('upgrade');
        upstream.removeAllListeners('upgrade').on('upgrade', (response: IncomingMessage, ...rest) => {
          if (!passedOn.switched()) return;
          response.headers = asOneField(response.rawHeaders);
          for (const join of joins) join.call(upstream, response, ...rest);
        });
        upstream.removeAllListeners('response').on('response', (response) => passedOn.responded(response));
        upstream.removeAllListeners('error').on('error', (error) => passedOn.failed(error));
      });
    });
  }
}

/**
 * What http-proxy is given for the client's request: of that it would only read the head, which it cannot pass on as it
 * came, and listen to it. Whoever has the request hears of its end from the client's connection.
 */
class Handover extends EventEmitter {
  readonly method: string | undefined;
  readonly url = '/';
  readonly headers = {};
  readonly socket: Socket;
  readonly passedOn: PassedOn;

  constructor({ method, socket }: IncomingMessage, passedOn: PassedOn) {
    super();
    this.method = method;
    this.socket = socket;
    this.passedOn = passedOn;
  }
}

function handover(request: IncomingMessage, passedOn: PassedOn): IncomingMessage {
  return new Handover(request, passedOn) as unknown as IncomingMessage;
}

function passedOnOf(request: IncomingMessage): PassedOn {
  return (request as unknown as Handover).passedOn;
}

/** Gives a request the one connection that was made for it, and the head that was made for it. */
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

  /** Node's own hook between making a request and writing its head. */
  addRequest(request: ClientRequest, ...rest: unknown[]): void {
    Object.assign(request, {
      // Node would sort the fields and recode Content-Disposition (nodejs/node#58240); test/facts/passing-on.test.ts.
      _header: this.#head,
      chunkedEncoding: this.#isChunked,
      // Node would drop the response's fields above the first thousand in silence; their size is limited.
      maxHeadersCount: 0,
      maxHeaderSize: this.#maxHeaderBytes,
    });
    const base = Agent.prototype as unknown as { addRequest(...values: unknown[]): void };
    base.addRequest.call(this, request, ...rest);
  }
}

/**
 * For http-proxy, which writes each member as a line: by name, repeats would move together and numbers to the front, so
 * all lines are the value of the first name.
 */
function asOneField(fields: readonly string[]): Record<string, string> {
  const [name, value, ...others] = fields;
  if (name === undefined || value === undefined) return {};
  const lines = `${value}\r\n${serializeFields(others)}`;
  return { [name]: lines.slice(0, -'\r\n'.length) };
}
