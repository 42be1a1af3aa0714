/** Accepts clients' connections, hands their requests on, and answers what cannot be a request. */

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { discardInput } from '../client/backpressure.ts';
import { configure, createServer, listen, stopAccepting } from '../client/http-server.ts';
import { linger, reset } from '../client/linger.ts';
import type { LingerLimits } from '../client/linger.ts';
import { clientFault, isConnectionLost } from '../client/request-fault.ts';
import { rawRefusal } from '../client/response-writer.ts';
import { keepDraining, parse, putBack, stopAtUpgrades } from '../client/upgrade-offer.ts';
import type { Settings } from '../config/settings.ts';
import { hostAndPort } from '../config/target.ts';
import { ProxyError } from '../errors.ts';
import type { ExchangeRecord } from '../exchange/events.ts';
import { refusedRecord } from '../exchange/recorder.ts';
import { NO_FACTS } from '../exchange/refuse.ts';
import { offeredProtocols } from '../http/upgrade.ts';
import { ClientConnection } from './client-connection.ts';
import type { Dispatched } from './client-connection.ts';
import type { Frontend } from './engine.ts';

export interface ListenerHandlers {
  request(
    connection: ClientConnection,
    request: IncomingMessage,
    response: ServerResponse,
    expectsContinue: boolean,
  ): Dispatched;
  upgrade(connection: ClientConnection, request: IncomingMessage, head: Buffer): Dispatched;
  /** What came was no request, and was refused. */
  refused(record: ExchangeRecord): void;
  /** The system did not hand a connection over. */
  acceptFailed(error: Error): void;
}

export class Listener implements Frontend {
  readonly #server: Server;
  readonly #handlers: ListenerHandlers;
  readonly #connections = new Map<Socket, ClientConnection>();
  /** Everything that was accepted: over TLS, a socket is no connection of our own before its handshake. */
  readonly #accepted = new Set<Socket>();
  /** Exchanges whose record is not written yet; they may outlive their connection by a little. */
  readonly #unfinished = new Set<Promise<void>>();
  #settings: Settings;
  #stopping = false;

  /** @throws the system's error when a certificate or key cannot be read */
  constructor(settings: Settings, handlers: ListenerHandlers) {
    this.#settings = settings;
    this.#handlers = handlers;
    this.#server = createServer(settings);
    this.#listenToServer();
  }

  /** Where clients reach it. Before `listen`, the port may be 0. */
  get url(): string {
    const { socketPath, host, tlsCert, port } = this.#settings;
    if (socketPath !== null) return `unix:${socketPath}`;
    const scheme = tlsCert === null ? 'http' : 'https';
    return `${scheme}://${hostAndPort(host, this.#port ?? port)}`;
  }

  /** Connections of clients, and those of them that are only waiting for their end. */
  count(): { readonly running: number; readonly connections: number; readonly lingering: number } {
    let lingering = 0;
    for (const { isClosing } of this.#connections.values()) if (isClosing) lingering += 1;
    return { running: this.#unfinished.size, connections: this.#connections.size, lingering };
  }

  /** @throws the system's error, such as EADDRINUSE */
  listen(): Promise<void> {
    return listen(this.#server, this.#settings);
  }

  /** For connections and requests that come from now on. */
  reconfigure(settings: Settings): void {
    this.#settings = settings;
    configure(this.#server, settings);
  }

  /** Stops accepting and closes connections as they fall idle. Resolves when the last one is gone. */
  close(): Promise<void> {
    this.#stopping = true;
    const closed = stopAccepting(this.#server);
    for (const connection of this.#connections.values()) {
      if (connection.isIdle) connection.close(this.#idleLimits());
    }
    return closed;
  }

  /** Ends what waits, in words, and what streams; answers under way and closing connections go on. */
  stop(error: ProxyError): void {
    for (const connection of this.#connections.values()) connection.stop(error);
  }

  /** Ends every connection now. What was not through ends by RST: a FIN could pass for the end of a response. */
  destroy(): void {
    this.#server.close(() => undefined);
    for (const { socket, isIdle } of this.#connections.values()) if (!isIdle) reset(socket);
    for (const socket of this.#accepted) socket.destroy();
  }

  /** Resolves when every exchange has written its record. */
  async settled(): Promise<void> {
    await Promise.all(this.#unfinished);
  }

  /** Null before `listen`, and on a unix socket. */
  get #port(): number | null {
    const address: AddressInfo | string | null = this.#server.address();
    return address === null || typeof address === 'string' ? null : address.port;
  }

  #listenToServer(): void {
    // Before it listens, it is `listen` that fails. Node tells of a failed accept by the same name.
    this.#server.on('error', (error) => {
      if (this.#server.listening) this.#handlers.acceptFailed(error);
    });
    this.#server.on('connection', (socket: Socket) => {
      if (this.#accepted.has(socket)) return;
      this.#accepted.add(socket);
      socket.on('close', () => this.#accepted.delete(socket));
    });
    this.#server
      .on(this.#settings.tlsCert === null ? 'connection' : 'secureConnection', (socket: Socket) =>
        this.#adopt(socket),
      )
      .on('request', (request, response) => this.#enqueue(request, response, false))
      .on('checkContinue', (request, response) => this.#enqueue(request, response, true))
      .on('checkExpectation', (request, response) => this.#enqueue(request, response, false))
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
    const connection = new ClientConnection(socket, this.#settings.tlsCert !== null);
    this.#connections.set(socket, connection);
    socket.on('close', () => this.#connections.delete(socket));
    // Node's http.Server calls this after the last response of a connection, and it would close at once.
    socket.destroySoon = () => connection.close(this.#settings);
  }

  #enqueue(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    const connection = this.#connections.get(request.socket);
    if (connection === undefined || connection.isClosing) return;
    const dispatch = (): Dispatched => this.#handlers.request(connection, request, response, expectsContinue);
    this.#track(connection, connection.carry(dispatch));
  }

  /** @param over resolves when one more of its requests is answered */
  #track(connection: ClientConnection, over: Promise<void>): void {
    this.#unfinished.add(over);
    void over.then(() => {
      this.#unfinished.delete(over);
      if (this.#stopping && connection.isIdle && !connection.isClosing) connection.close(this.#idleLimits());
    });
  }

  #upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    const { socket, httpVersionMinor, rawHeaders } = request;
    const connection = this.#connections.get(socket);
    if (connection === undefined) return;
    if (connection.isClosing) return discardInput(socket);
    connection.parsing = false;
    const giveBack = this.#takeOver(connection, stream);
    if (offeredProtocols({ minor: httpVersionMinor === 0 ? 0 : 1, fields: rawHeaders }).length > 0) {
      const dispatch = (): Dispatched => this.#handlers.upgrade(connection, request, head);
      return this.#track(connection, connection.carry(dispatch));
    }
    putBack(request, head);
    const goOn = (): Promise<void> => {
      giveBack();
      connection.parsing = true;
      return parse(this.#server, socket, connection.encrypted);
    };
    this.#track(connection, connection.inTurn(goOn));
  }

  /** Node leaves an upgrade's socket to us: its errors and its clock, also those of responses that are still due on it. */
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
    // Bytes after a request that said "Connection: close" are no request.
    if (connection.isClosing || code === 'HPE_CLOSED_CONNECTION') return;
    const refusal = clientFault(error, this.#settings);
    if (!connection.fault(refusal)) this.#refuse(connection, refusal);
  }

  /** After the responses that are still due. */
  #refuse(connection: ClientConnection, error: ProxyError): void {
    if (!connection.refuseFurther()) return;
    const { socket } = connection;
    const answer = async (): Promise<void> => {
      if (!socket.writable) return;
      const record = refusedRecord(socket.remoteAddress ?? '', error);
      socket.write(rawRefusal(error, NO_FACTS, `urn:lastbyte:exchange:${record.id}`), () =>
        connection.close(this.#settings),
      );
      this.#handlers.refused(record);
    };
    this.#track(connection, connection.inTurn(answer));
  }

  #timedOut(socket: Socket): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined) linger(socket, this.#idleLimits());
    else if (!connection.timedOut() && connection.isIdle) connection.close(this.#idleLimits());
  }

  /**
   * Nothing is due on it, so there is nothing that the client should have first. Many clients notice our FIN only when
   * they use the connection again: the proxy's end does not wait for that.
   */
  #idleLimits(): LingerLimits {
    const { lingerTimeoutMs, lingerTotalMs } = this.#settings;
    return { lingerTimeoutMs: 0, lingerTotalMs: this.#stopping ? lingerTimeoutMs : lingerTotalMs };
  }
}

function ignore(): void {}
