/** One client connection: its requests in order, one exchange at a time, and a limit on how far ahead it is read. */

import type { Socket } from 'node:net';
import { discardInput, resumeReading, stopReading } from '../client/backpressure.ts';
import { linger, reset } from '../client/linger.ts';
import type { LingerLimits } from '../client/linger.ts';
import type { ProxyError } from '../errors.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Running } from './engine.ts';

/** Requests that may wait for their turn before reading stops; the rest of a packet may exceed it. */
const MAX_PIPELINED = 16;

export class ClientConnection {
  readonly socket: Socket;
  readonly encrypted: boolean;
  /** What Node calls when the socket has room again, so that its responses continue. */
  drainListeners: readonly object[];
  /** Whether Node's parser reads it, and may find further requests. */
  parsing = true;
  /** The exchange that has the connection now. */
  #current: Exchange | null = null;
  readonly #unfinished: Set<Promise<void>>;
  readonly #becameIdle: () => void;
  /** Resolves when all requests so far have their responses. */
  #tail: Promise<void> = Promise.resolve();
  /** Requests without a complete response. */
  #pending = 0;
  /** Why the last request cannot be received in full, while its turn is still to come. */
  #fault: ProxyError | null = null;
  #refused = false;
  #closing = false;

  /**
   * @param unfinished exchanges whose record is not written yet; they may outlive their connection briefly
   * @param becameIdle called when no response is due any more
   */
  constructor(socket: Socket, encrypted: boolean, unfinished: Set<Promise<void>>, becameIdle: () => void) {
    this.socket = socket;
    this.encrypted = encrypted;
    this.#unfinished = unfinished;
    this.#becameIdle = becameIdle;
    this.drainListeners = socket.listeners('drain');
  }

  /** No response is due on it. */
  get isIdle(): boolean {
    return this.#pending === 0;
  }

  /** The last response is sent: whatever else arrives is ignored (RFC 9112 section 9.6). */
  get isClosing(): boolean {
    return this.#closing;
  }

  /** Runs when all earlier requests have their responses, which are in order (RFC 9112 section 9.3.2). */
  inTurn(run: () => Promise<void>): void {
    this.#pending += 1;
    const turn =
      this.#pending === 1
        ? run()
        : this.#tail.then(() => (this.#closing || this.socket.destroyed ? undefined : run()));
    const tail: Promise<void> = turn.then(
      () => this.#over(tail),
      () => {
        // A failure must not affect other exchanges.
        reset(this.socket);
        this.#over(tail);
      },
    );
    this.#tail = tail;
    this.#unfinished.add(tail);
    if (this.#pending > MAX_PIPELINED) queueMicrotask(() => this.#hold());
  }

  /** Gives the connection to the exchange whose turn it is. Resolves when that is over. */
  carry({ exchange, over }: Running): Promise<void> {
    this.#current = exchange;
    if (this.#fault !== null) exchange.fault(this.#fault);
    return over;
  }

  /** What is being received is invalid. False: its turn is still to come, or it is not a request; the fault is kept for it. */
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

  /** Discards everything that arrives from now on. */
  discard(): void {
    this.parsing = false;
    discardInput(this.socket);
  }

  /** Reads nothing more, because what arrived is not a request. False: it was called before. */
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

  #over(tail: Promise<void>): void {
    this.#current = null;
    this.#pending -= 1;
    this.#unfinished.delete(tail);
    if (this.#pending <= MAX_PIPELINED) resumeReading(this.socket);
    if (this.#pending === 0) this.#becameIdle();
  }

  /** After the current packet is parsed: only then is it known whether the parser continues with the connection. */
  #hold(): void {
    if (this.parsing && this.#pending > MAX_PIPELINED && !this.socket.destroyed) stopReading(this.socket);
  }
}
