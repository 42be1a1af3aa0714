/** The client's side: accepts connections, keeps their requests in order, and answers what cannot be a request. */

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { discardInput, stopReading, resumeReading } from '../client/backpressure.ts';
import { configure, createServer, stopAccepting, clearStaleSocket } from '../client/http-server.ts';
import { reset, linger } from '../client/linger.ts';
import type { LingerLimits } from '../client/linger.ts';
import { clientFault, isConnectionLost } from '../client/request-fault.ts';
import { rawRefusal } from '../client/response-writer.ts';
import { keepDraining, parse, putBack, stopAtUpgrades } from '../client/upgrade-offer.ts';
import type { Settings } from '../config/settings.ts';
import { ProxyError } from '../errors.ts';
import type { ExchangeRecord } from '../exchange/events.ts';
import { refusedRecord } from '../exchange/recorder.ts';
import { NO_FACTS } from '../exchange/refuse.ts';
import { offeredProtocols } from '../http/upgrade.ts';

/** Requests of one connection that may wait for their turn before it is read no further; the rest of a packet may come. */
const MAX_PIPELINED = 16;

/** What a connection tells the exchange that has it. */
export interface CurrentExchange {
  /** The request cannot be received to its end. False: it has been already, and is answered first. */
  fault(error: ProxyError): boolean;
  /** The client moved no byte for as long as it may. */
  clientTimedOut(): void;
  /** The proxy ends, and there is time for last words alone. */
  stop(): void;
}

/** One client connection and what happens on it. */
export interface ClientConnection {
  readonly socket: Socket;
  readonly encrypted: boolean;
  /** The exchange that has the connection now. */
  current: CurrentExchange | null;
  /** Settles when all requests so far are answered. */
  tail: Promise<void>;
  /** Requests that are not answered yet. */
  pending: number;
  /** Node's parser reads it, and may find further requests. */
  parsing: boolean;
  /** What Node calls when the socket has room again, so that its responses go on. */
  drainListeners: readonly object[];
  /** Why the last request cannot be received to its end, when its turn is yet to come. */
  fault: ProxyError | null;
  /** An answer to something that was no request goes out after all others; then nothing more is read. */
  refused: boolean;
  /** The last answer is out: whatever else came is no concern of ours (RFC 9112 section 9.6). */
  closing: boolean;
}

export interface ListenerHandlers {
  request(
    connection: ClientConnection,
    request: IncomingMessage,
    response: ServerResponse,
    expectsContinue: boolean,
  ): Promise<void>;
  upgrade(connection: ClientConnection, request: IncomingMessage, head: Buffer): Promise<void>;
  /** What came was no request, and was refused. */
  refused(record: ExchangeRecord): void;
  /** The system did not hand a connection over. */
  acceptFailed(error: Error): void;
}

export class Listener {
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

  /** Null before `listen`, and on a unix socket. */
  get port(): number | null {
    const address: AddressInfo | string | null = this.#server.address();
    return address === null || typeof address === 'string' ? null : address.port;
  }

  /** Connections of clients, and those of them that are only waiting for their end. */
  count(): { readonly running: number; readonly connections: number; readonly lingering: number } {
    let lingering = 0;
    for (const { closing } of this.#connections.values()) if (closing) lingering += 1;
    return { running: this.#unfinished.size, connections: this.#connections.size, lingering };
  }

  /** @throws the system's error, such as EADDRINUSE */
  async listen(): Promise<void> {
    const { socketPath, host, port } = this.#settings;
    if (socketPath !== null) await clearStaleSocket(socketPath);
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      const listening = (): void => {
        this.#server.off('error', reject);
        resolve();
      };
      if (socketPath === null) this.#server.listen({ host, port }, listening);
      else this.#server.listen({ path: socketPath }, listening);
    });
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
      if (connection.pending === 0) this.#endIdle(connection.socket);
    }
    return closed;
  }

  /** Ends what waits, in words, and what streams; answers under way and closing connections go on. */
  stop(): void {
    for (const { current } of this.#connections.values()) current?.stop();
  }

  /** Ends every connection now. What was not through ends by RST: a FIN could pass for the end of an answer. */
  destroy(): void {
    this.#server.close(() => undefined);
    for (const { socket, pending } of this.#connections.values()) if (pending > 0) reset(socket);
    for (const socket of this.#accepted) socket.destroy();
  }

  /** Resolves when every exchange has written its record. */
  async settled(): Promise<void> {
    await Promise.all(this.#unfinished);
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
    const drainListeners = socket.listeners('drain');
    const known = this.#connections.get(socket);
    if (known !== undefined) {
      known.drainListeners = drainListeners;
      return;
    }
    const connection: ClientConnection = {
      socket,
      drainListeners,
      encrypted: this.#settings.tlsCert !== null,
      current: null,
      tail: Promise.resolve(),
      pending: 0,
      parsing: true,
      fault: null,
      refused: false,
      closing: false,
    };
    this.#connections.set(socket, connection);
    socket.on('close', () => this.#connections.delete(socket));
    // Node's http.Server calls this after the last response of a connection, and it would close at once.
    socket.destroySoon = () => this.#linger(socket);
  }

  #enqueue(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    const connection = this.#connections.get(request.socket);
    if (connection === undefined || connection.closing) return;
    const run = (): Promise<void> => {
      const running = this.#handlers.request(connection, request, response, expectsContinue);
      if (connection.fault !== null) connection.current?.fault(connection.fault);
      return running;
    };
    this.#inOrder(connection, run);
    if (connection.pending > MAX_PIPELINED) queueMicrotask(() => this.#hold(connection));
  }

  /** When the present packet is parsed: only then is it known whether the parser goes on with the connection. */
  #hold({ socket, parsing, pending }: ClientConnection): void {
    if (parsing && pending > MAX_PIPELINED && !socket.destroyed) stopReading(socket);
  }

  /** Answers go out in the order of their requests (RFC 9112 section 9.3.2), and none is begun before its turn. */
  #inOrder(connection: ClientConnection, run: () => Promise<void>): void {
    connection.pending += 1;
    const inTurn = (): Promise<void> | undefined => {
      if (connection.closing || connection.socket.destroyed) return undefined;
      return run();
    };
    const turn = connection.pending === 1 ? run() : connection.tail.then(inTurn);
    const over = (): void => {
      this.#unfinished.delete(tail);
      connection.current = null;
      connection.pending -= 1;
      if (connection.pending <= MAX_PIPELINED) resumeReading(connection.socket);
      if (this.#stopping && connection.pending === 0 && !connection.closing) this.#endIdle(connection.socket);
    };
    const tail = turn.then(over, () => {
      // One exchange that fails must never be more than one exchange.
      reset(connection.socket);
      over();
    });
    connection.tail = tail;
    this.#unfinished.add(tail);
  }

  #upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    const { socket, httpVersionMinor, rawHeaders } = request;
    const connection = this.#connections.get(socket);
    if (connection === undefined) return;
    if (connection.closing) return discardInput(socket);
    connection.parsing = false;
    const giveBack = this.#takeOver(connection, stream);
    if (offeredProtocols({ minor: httpVersionMinor === 0 ? 0 : 1, fields: rawHeaders }).length > 0) {
      this.#inOrder(connection, () => this.#handlers.upgrade(connection, request, head));
      return;
    }
    putBack(request, head);
    this.#inOrder(connection, () => {
      giveBack();
      connection.parsing = true;
      return parse(this.#server, socket, connection.encrypted);
    });
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
      socket,
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
    connection.parsing = false;
    discardInput(socket);
    // Bytes after a request that said "Connection: close" are no request.
    if (connection.closing || code === 'HPE_CLOSED_CONNECTION') return;
    const refusal = clientFault(error, this.#settings);
    if (connection.current?.fault(refusal) === true) return;
    connection.fault = refusal;
    this.#refuse(socket, refusal);
  }

  /** After the answers that are still due. */
  #refuse(socket: Socket, error: ProxyError): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined || connection.refused) return;
    connection.parsing = false;
    connection.refused = true;
    discardInput(socket);
    this.#inOrder(connection, async () => {
      if (!socket.writable) return;
      const record = refusedRecord(socket.remoteAddress ?? '', error);
      socket.write(rawRefusal(error, NO_FACTS, `urn:lastbyte:exchange:${record.id}`), () =>
        this.#linger(socket),
      );
      this.#handlers.refused(record);
    });
  }

  #timedOut(socket: Socket): void {
    const connection = this.#connections.get(socket);
    if (connection?.current != null) connection.current.clientTimedOut();
    else if (connection === undefined || connection.pending === 0) this.#endIdle(socket);
  }

  /**
   * Nothing is due on it, so there is nothing that the client should have first. Many clients notice our FIN only when
   * they use the connection again: the proxy's end does not wait for that.
   */
  #endIdle(socket: Socket): void {
    const { lingerTimeoutMs, lingerTotalMs } = this.#settings;
    this.#close(socket, {
      lingerTimeoutMs: 0,
      lingerTotalMs: this.#stopping ? lingerTimeoutMs : lingerTotalMs,
    });
  }

  #linger(socket: Socket): void {
    this.#close(socket, this.#settings);
  }

  #close(socket: Socket, limits: LingerLimits): void {
    const connection = this.#connections.get(socket);
    if (connection !== undefined) {
      connection.parsing = false;
      connection.closing = true;
    }
    linger(socket, limits);
  }
}

function ignore(): void {}
