/** Accepts clients' connections, begins an exchange for each request, and refuses what is not a request. */

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { discardInput } from '../client/backpressure.ts';
import { configure, createServer, listen, stopAccepting } from '../client/http-server.ts';
import { linger, reset } from '../client/linger.ts';
import type { LingerLimits } from '../client/linger.ts';
import { clientFault, isConnectionLost } from '../client/request-fault.ts';
import { stopAtUpgrades } from '../client/request-parser.ts';
import { rawRefusal, responseTo } from '../client/response-writer.ts';
import { keepDraining, parse, putBack } from '../client/upgrade-offer.ts';
import type { Settings } from '../config/settings.ts';
import { hostAndPort, portOf } from '../config/target.ts';
import { ProxyError } from '../errors.ts';
import { refusedRecord } from '../exchange/recorder.ts';
import { NO_FACTS } from '../exchange/refuse.ts';
import type { Asked, Services } from '../exchange/transport.ts';
import { parseRequest } from '../http/request.ts';
import { offeredProtocols } from '../http/upgrade.ts';
import { ClientConnection } from './client-connection.ts';
import type { ClientCount, Engine, Frontend } from './engine.ts';

export class Listener implements Frontend {
  readonly halfCloses = true;
  readonly #server: Server;
  readonly #engine: Engine;
  readonly #connections = new Map<Socket, ClientConnection>();
  /** Every accepted socket: over TLS, it becomes a client connection only after the handshake. */
  readonly #accepted = new Set<Socket>();
  readonly #unfinished = new Set<Promise<void>>();
  /** A reload replaces them. */
  #services: Services;
  #stopping = false;

  /** @throws the system's error when a certificate or key cannot be read */
  constructor(engine: Engine, settings: Settings) {
    this.#engine = engine;
    this.#services = engine.serve(settings);
    this.#server = createServer(settings);
    this.#listenToServer();
  }

  get settings(): Settings {
    return this.#services.settings;
  }

  /** Where clients reach it. Before `listen`, the port may be 0. */
  get url(): string {
    const { socketPath, host, tlsCert, port } = this.settings;
    if (socketPath !== null) return `unix:${socketPath}`;
    const scheme = tlsCert === null ? 'http' : 'https';
    return `${scheme}://${hostAndPort(host, portOf(this.#server.address()) ?? port)}`;
  }

  count(): ClientCount {
    let lingering = 0;
    for (const { isClosing } of this.#connections.values()) if (isClosing) lingering += 1;
    return { running: this.#unfinished.size, connections: this.#connections.size, lingering };
  }

  /** @throws the system's error, such as EADDRINUSE */
  listen(): Promise<void> {
    return listen(this.#server, this.settings);
  }

  /** Applies to connections and requests that come from now on. */
  reload(settings: Settings): void {
    const before = this.#services;
    this.#services = this.#engine.serve(settings);
    configure(this.#server, settings);
    this.#engine.drop(before);
  }

  /** Stops accepting, and closes connections as they become idle. Resolves when the last one is closed. */
  close(): Promise<void> {
    this.#stopping = true;
    const closed = stopAccepting(this.#server);
    for (const connection of this.#connections.values()) {
      if (connection.isIdle) connection.close(this.#idleLimits());
    }
    return closed;
  }

  stop(error: ProxyError): void {
    for (const connection of this.#connections.values()) connection.stop(error);
  }

  /** Ends every connection now; those in use by RST, because a FIN could be taken for the end of a response. */
  destroy(): void {
    this.#server.close(() => undefined);
    for (const { socket, isIdle } of this.#connections.values()) if (!isIdle) reset(socket);
    for (const socket of this.#accepted) socket.destroy();
  }

  async settled(): Promise<void> {
    await Promise.all([...this.#unfinished, ...Array.from(this.#connections.keys(), untilClosed)]);
  }

  #listenToServer(): void {
    // Before the server listens, `listen` reports the error. A failed accept is an event of the same name.
    this.#server.on('error', (error) => {
      if (this.#server.listening) this.#engine.publisher.publish('acceptError', error);
    });
    this.#server.on('connection', (socket: Socket) => {
      if (this.#accepted.has(socket)) return;
      this.#accepted.add(socket);
      socket.on('close', () => this.#accepted.delete(socket));
    });
    this.#server
      .on(this.settings.tlsCert === null ? 'connection' : 'secureConnection', (socket: Socket) =>
        this.#adopt(socket),
      )
      .on('request', (request, response) => this.#request(request, response, false))
      .on('checkContinue', (request, response) => this.#request(request, response, true))
      .on('checkExpectation', (request, response) => this.#request(request, response, false))
      .on('upgrade', (request, stream, head) => this.#upgrade(request, stream, head))
      .on('connect', (_request: IncomingMessage, socket: Socket) => this.#refuseConnect(socket))
      .on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => this.#clientError(error, socket))
      .on('timeout', (socket: Socket) => this.#timedOut(socket));
  }

  #adopt(socket: Socket): void {
    stopAtUpgrades(socket);
    const known = this.#connections.get(socket);
    if (known !== undefined) {
      known.drainListeners = socket.listeners('drain');
      return;
    }
    const connection = new ClientConnection(
      socket,
      this.settings.tlsCert !== null,
      this.#unfinished,
      () => this.#stopping && !connection.isClosing && connection.close(this.#idleLimits()),
    );
    this.#connections.set(socket, connection);
    socket.on('close', () => this.#connections.delete(socket));
    // Node's http.Server calls this after the last response of a connection, and it would close at once.
    socket.destroySoon = () => connection.close(this.settings);
  }

  #request(incoming: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    const connection = this.#connections.get(incoming.socket);
    if (connection === undefined || connection.isClosing) return;
    connection.inTurn(() => {
      const asked = this.#asked(connection, incoming, response);
      return connection.carry(this.#engine.begin(asked, expectsContinue));
    });
  }

  #asked({ encrypted }: ClientConnection, incoming: IncomingMessage, response: ServerResponse): Asked {
    const services = this.#services;
    const { keepAliveTimeoutMs } = services.settings;
    const request = parseRequest(incoming);
    return { services, request, incoming, response, encrypted, keepAliveTimeoutMs, refusal: null };
  }

  #upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    const { socket, httpVersionMinor, rawHeaders } = request;
    const connection = this.#connections.get(socket);
    if (connection === undefined) return;
    if (connection.isClosing) return discardInput(socket);
    connection.parsing = false;
    const giveBack = this.#takeOver(connection, stream);
    if (offeredProtocols({ minor: httpVersionMinor === 0 ? 0 : 1, fields: rawHeaders }).length > 0) {
      return connection.inTurn(() => {
        const asked = this.#asked(connection, request, responseTo(request));
        return connection.carry(this.#engine.beginUpgrade(asked, head));
      });
    }
    putBack(request, head);
    connection.inTurn(() => {
      giveBack();
      connection.parsing = true;
      return parse(this.#server, socket, connection.encrypted);
    });
  }

  /** Node stops handling an upgrade's socket: its errors and timeouts, and those of responses that are still due on it. */
  #takeOver({ socket, drainListeners }: ClientConnection, stream: Duplex): () => void {
    const timedOut = (): void => this.#timedOut(socket);
    const stopDraining = keepDraining(socket, drainListeners);
    socket.on('timeout', timedOut);
    stream.on('error', ignore);
    return () => {
      stopDraining();
      socket.off('timeout', timedOut);
      stream.off('error', ignore);
    };
  }

  #refuseConnect(socket: Socket): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined) return;
    this.#takeOver(connection, socket);
    this.#refuse(
      connection,
      new ProxyError('method_not_allowed', 'CONNECT is for forward proxies; this one serves one upstream.'),
    );
  }

  #clientError(error: NodeJS.ErrnoException, socket: Socket): void {
    const connection = this.#connections.get(socket);
    const code = error.code ?? '';
    if (connection === undefined || socket.destroyed || !socket.writable || isConnectionLost(code)) {
      socket.destroy();
      return;
    }
    connection.discard();
    // Bytes after a request with "Connection: close" are not a request.
    if (connection.isClosing || code === 'HPE_CLOSED_CONNECTION') return;
    const refusal = clientFault(error, this.settings);
    if (!connection.fault(refusal)) this.#refuse(connection, refusal);
  }

  /** Sends a refusal after the responses that are still due, and closes. */
  #refuse(connection: ClientConnection, error: ProxyError): void {
    if (!connection.refuseFurther()) return;
    const { socket } = connection;
    connection.inTurn(async () => {
      if (!socket.writable) return;
      const record = refusedRecord(socket.remoteAddress ?? '', error);
      socket.write(rawRefusal(error, NO_FACTS, `urn:lastbyte:exchange:${record.id}`), () =>
        connection.close(this.settings),
      );
      this.#engine.publisher.publish('exchange', record);
    });
  }

  #timedOut(socket: Socket): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined) linger(socket, this.#idleLimits());
    else if (!connection.timedOut() && connection.isIdle) connection.close(this.#idleLimits());
  }

  /**
   * For a connection without a response that the client still needs. Many clients notice our FIN only when they use the
   * connection again, and a shutdown does not wait for that.
   */
  #idleLimits(): LingerLimits {
    const { lingerTimeoutMs, lingerTotalMs } = this.settings;
    return { lingerTimeoutMs: 0, lingerTotalMs: this.#stopping ? lingerTimeoutMs : lingerTotalMs };
  }
}

/** The server closes before the last of its sockets emits this. */
function untilClosed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => resolve());
  });
}

function ignore(): void {}
