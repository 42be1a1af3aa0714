/** One client connection: its requests in their order, one exchange at a time, and no further ahead than it should read. */

import type { Socket } from 'node:net';
import { discardInput, resumeReading, stopReading } from '../client/backpressure.ts';
import { linger, reset } from '../client/linger.ts';
import type { LingerLimits } from '../client/linger.ts';
import type { ProxyError } from '../errors.ts';

/** Requests of one connection that may wait for their turn before it is read no further; the rest of a packet may come. */
const MAX_PIPELINED = 16;

/** What a connection tells the exchange that has it. */
interface CurrentExchange {
  /** The request cannot be received to its end. False: it has been already, and is answered first. */
  fault(error: ProxyError): boolean;
  /** The client moved no byte for as long as it may. */
  clientTimedOut(): void;
  /** The proxy ends, and there is time for a refusal alone. */
  stop(error: ProxyError): void;
}

/** A request that has its exchange; `run` resolves when that has written its record. */
export interface Dispatched {
  readonly exchange: CurrentExchange;
  readonly run: () => Promise<void>;
}

export class ClientConnection {
  readonly socket: Socket;
  readonly encrypted: boolean;
  /** What Node calls when the socket has room again, so that its responses go on. */
  drainListeners: readonly object[];
  /** Node's parser reads it, and may find further requests. */
  parsing = true;
  /** The exchange that has the connection now. */
  #current: CurrentExchange | null = null;
  /** Settles when all requests so far are answered. */
  #tail: Promise<void> = Promise.resolve();
  /** Requests that are not answered yet. */
  #pending = 0;
  /** Why the last request cannot be received to its end, when its turn is yet to come. */
  #fault: ProxyError | null = null;
  #refused = false;
  #closing = false;

  constructor(socket: Socket, encrypted: boolean) {
    this.socket = socket;
    this.encrypted = encrypted;
    this.drainListeners = socket.listeners('drain');
  }

  /** Nothing is due on it. */
  get isIdle(): boolean {
    return this.#pending === 0;
  }

  /** The last response is out: whatever else came does not concern us (RFC 9112 section 9.6). */
  get isClosing(): boolean {
    return this.#closing;
  }

  /** Gives the connection to the exchange of a request, in its turn. Resolves when that is over. */
  carry(dispatch: () => Dispatched): Promise<void> {
    return this.inTurn(() => {
      const { exchange, run } = dispatch();
      this.#current = exchange;
      const running = run();
      if (this.#fault !== null) exchange.fault(this.#fault);
      return running;
    });
  }

  /** Answers go out in the order of their requests (RFC 9112 section 9.3.2), and none is begun before its turn. */
  inTurn(run: () => Promise<void>): Promise<void> {
    this.#pending += 1;
    const turn =
      this.#pending === 1
        ? run()
        : this.#tail.then(() => (this.#closing || this.socket.destroyed ? undefined : run()));
    this.#tail = turn.then(
      () => this.#over(),
      () => {
        // One exchange that fails must never be more than one exchange.
        reset(this.socket);
        this.#over();
      },
    );
    if (this.#pending > MAX_PIPELINED) queueMicrotask(() => this.#hold());
    return this.#tail;
  }

  /** What is being received is at fault. False: its turn is yet to come, or it is no request; the fault is kept for it. */
  fault(error: ProxyError): boolean {
    if (this.#current?.fault(error) === true) return true;
    this.#fault = error;
    return false;
  }

  /** False: no exchange has it. */
  timedOut(): boolean {
    this.#current?.clientTimedOut();
    return this.#current !== null;
  }

  stop(error: ProxyError): void {
    this.#current?.stop(error);
  }

  /** What comes from now on is thrown away. */
  discard(): void {
    this.parsing = false;
    discardInput(this.socket);
  }

  /** Nothing more is read, because what came was no request. False: that was said before. */
  refuseFurther(): boolean {
    if (this.#refused) return false;
    this.#refused = true;
    this.discard();
    return true;
  }

  close(limits: LingerLimits): void {
    this.parsing = false;
    this.#closing = true;
    linger(this.socket, limits);
  }

  #over(): void {
    this.#current = null;
    this.#pending -= 1;
    if (this.#pending <= MAX_PIPELINED) resumeReading(this.socket);
  }

  /** When the present packet is parsed: only then is it known whether the parser goes on with the connection. */
  #hold(): void {
    if (this.parsing && this.#pending > MAX_PIPELINED && !this.socket.destroyed) stopReading(this.socket);
  }
}
