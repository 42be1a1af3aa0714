/** One socket to the upstream, and how it really ended: FIN, RST, or TLS without a close_notify. */

import { connect as connectTcp } from 'node:net';
import type { Socket } from 'node:net';
import type { Target } from '../config/settings.ts';
import { FIN, resetBy } from './evidence.ts';
import type { Ending } from './evidence.ts';
import { connectCarriedTls } from './tls-carrier.ts';

/** How the upstream's side of a connection ended. */
export type ConnectionEnd = Extract<Ending, { readonly kind: 'fin' | 'rst' }>;

/** TCP was closed before TLS (RFC 9112 section 9.8). */
const CUT_OFF: ConnectionEnd = { kind: 'rst', errorCode: null, missesCloseNotify: true };

/** The current reader of a connection. */
export interface ConnectionReader {
  /** Memory for the next bytes; null: the connection's scratch buffer. */
  window(): Uint8Array | null;
  /** `count` bytes arrived at the start of `buffer`. False: stop reading until `resume()`. */
  bytes(buffer: Uint8Array, count: number): boolean;
  /** The upstream's side has ended. Called once. */
  ended(how: ConnectionEnd): void;
  /** No byte was sent or received for the time set with `setTimeout`. */
  timedOut(): void;
}

/** `dns.lookup`, as far as it is used. */
export type LookUp = (
  host: string,
  options: { readonly all: true; readonly hints: number },
  done: (error: NodeJS.ErrnoException | null, found: readonly { readonly address: string }[]) => void,
) => void;

export interface ConnectOptions {
  readonly target: Target;
  readonly insecure: boolean;
  readonly timeoutMs: number;
  /** Leaves reading to the socket's own `data` events, for use with Node's http client. */
  readonly asStream?: boolean;
  /** Resolves a name. Default: the system's resolver. */
  readonly lookUp?: LookUp;
}

export type ConnectResult =
  | { readonly kind: 'connected'; readonly connection: UpstreamConnection }
  | {
      readonly kind: 'failed';
      readonly errorCode: string;
      readonly timedOut: boolean;
      /** The result of each address, where the target may have several; null: it is one address. */
      readonly detail: string | null;
    };

/** A connection that is being opened; `cancel` abandons it. */
export interface Connecting {
  readonly result: Promise<ConnectResult>;
  cancel(): void;
}

/** For bytes without a reader's window. All connections share it, because it is free again when the reader returns. */
const scratch: Buffer = Buffer.allocUnsafeSlow(64 * 1024);

/** One address, or the path of a unix socket. */
export type Place = { readonly host: string; readonly port: number } | { readonly path: string };

/** Callbacks for a connection that is being opened. */
export interface ConnectCallbacks {
  /** TCP is connected; TLS, if any, follows. */
  accepted(): void;
  /** Called once, unless the connect is cancelled first. */
  done(result: ConnectResult): void;
}

/**
 * Connects to one place. Half-open, so that the upstream's FIN does not close our side on its own.
 * `cancel` abandons it without calling back.
 */
export function connectTo(
  place: Place,
  options: ConnectOptions,
  callbacks: ConnectCallbacks,
): { cancel(): void } {
  const connection = new UpstreamConnection(place, options, () => callbacks.accepted());
  const { socket } = connection;
  const fail = (errorCode: string): void => {
    stopListening();
    connection.destroy();
    callbacks.done({ kind: 'failed', errorCode, timedOut: errorCode === 'ETIMEDOUT', detail: null });
  };
  const onError = (error: NodeJS.ErrnoException): void => fail(error.code ?? 'EUNKNOWN');
  const onClose = (): void => fail('ECONNABORTED');
  const onReady = (): void => {
    stopListening();
    connection.established();
    callbacks.done({ kind: 'connected', connection });
  };
  const ready = connection.encrypted ? 'secureConnect' : 'connect';
  const stopListening = (): void => {
    socket.off('error', onError).off('close', onClose).off(ready, onReady);
  };
  socket.on('error', onError).on('close', onClose).on(ready, onReady);
  return {
    cancel: () => {
      stopListening();
      socket.on('error', () => undefined);
      connection.destroy();
    },
  };
}

export class UpstreamConnection {
  readonly socket: Socket;
  readonly encrypted: boolean;
  readonly #isTcp: boolean;
  readonly #wasCutOff: () => boolean = () => false;
  #reader: ConnectionReader | null = null;
  #heard: (() => void) | null = null;
  #ended: ConnectionEnd | { readonly kind: 'closed' } | null = null;

  constructor(place: Place, options: ConnectOptions, accepted: () => void) {
    const { target, insecure, asStream = false } = options;
    const isTls = target.kind === 'tcp' && target.tls;
    this.#isTcp = target.kind === 'tcp' && !isTls;
    this.encrypted = isTls;
    if (isTls && 'host' in place) {
      const tls = { host: target.host, servername: serverName(target.host), rejectUnauthorized: !insecure };
      const { socket, wasCutOff } = connectCarriedTls(place, tls, accepted);
      this.socket = socket;
      this.#wasCutOff = wasCutOff;
      if (!asStream) socket.on('data', (bytes) => this.#read(bytes.length, bytes) || socket.pause());
      return;
    }
    const onread = {
      buffer: (): Uint8Array => this.#reader?.window() ?? scratch,
      callback: (count: number, buffer: Uint8Array): boolean => this.#read(count, buffer),
    };
    const common = { allowHalfOpen: true, noDelay: true, ...(asStream ? {} : { onread }) };
    this.socket = connectTcp({ ...common, ...place }).once('connect', accepted);
  }

  /** Starts reporting to readers how the connection ends. */
  established(): void {
    this.socket
      .on('end', () => this.#atEnd())
      .on('error', (error: NodeJS.ErrnoException) => this.#end(resetBy(error.code ?? null)))
      .on('close', () => this.#end(resetBy(null)))
      .on('timeout', () => this.#reader?.timedOut());
  }

  /** Sets the reader; null: none. */
  attach(reader: ConnectionReader | null): void {
    this.#reader = reader;
  }

  /** How the upstream ended the connection; `closed`: we did; null: it is open. */
  get endedBy(): 'fin' | 'rst' | 'closed' | null {
    return this.#ended?.kind ?? null;
  }

  /** How the upstream's side ended; a reset if that is unknown. */
  get end(): ConnectionEnd {
    return this.#ended === null || this.#ended.kind === 'closed' ? resetBy(null) : this.#ended;
  }

  get usable(): boolean {
    return this.#ended === null && !this.socket.destroyed;
  }

  write(bytes: string | Uint8Array, written?: (error?: Error | null) => void): void {
    if (typeof bytes === 'string') this.socket.write(bytes, 'latin1', written);
    else this.socket.write(bytes, written);
  }

  resume(): void {
    this.socket.resume();
  }

  /** Calls back once, when the first bytes arrive or the connection ends. */
  whenHeard(heard: () => void): void {
    this.#heard = heard;
  }

  /** Idle time before the reader's `timedOut` is called; 0: never. */
  setTimeout(ms: number): void {
    this.socket.setTimeout(ms);
  }

  destroy(): void {
    this.#reader = null;
    this.#ended ??= { kind: 'closed' };
    this.#notifyHeard();
    this.socket.destroy();
  }

  #notifyHeard(): void {
    const heard = this.#heard;
    this.#heard = null;
    heard?.();
  }

  #read(count: number, buffer: Uint8Array): boolean {
    if (this.#heard !== null) this.#notifyHeard();
    if (this.#reader !== null) return this.#reader.bytes(buffer, count);
    // Bytes without a request (RFC 9112 section 9.2): the connection must not be reused.
    this.destroy();
    return true;
  }

  #atEnd(): void {
    if (this.#wasCutOff()) this.#end(CUT_OFF);
    else this.#end(this.#endedByReset() ? resetBy(null) : FIN);
  }

  #end(how: ConnectionEnd): void {
    if (this.#ended !== null) return;
    this.#ended = how;
    this.#notifyHeard();
    this.#reader?.ended(how);
  }

  /**
   * Node up to 22 (libuv up to 1.51) may report a reset that arrives right after the last bytes as a clean end. The kernel
   * forgets the peer of a reset socket, but not of one that was closed cleanly. Node caches the peer's address when it is
   * first read, so it must not have been read before. See test/facts/reset.test.ts. After our own FIN, the kernel forgets
   * the peer after a clean end too, so the address then shows nothing.
   */
  #endedByReset(): boolean {
    return this.#isTcp && !this.socket.writableEnded && this.socket.remoteAddress === undefined;
  }
}

/** SNI must not hold an address (RFC 6066 section 3). */
function serverName(host: string): string {
  return /^[\d.]+$|:/.test(host) ? '' : host;
}
