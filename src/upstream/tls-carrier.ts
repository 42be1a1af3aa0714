/** TLS over our own TCP stream, to detect whether TLS was closed before TCP. */

import { connect as connectTcp } from 'node:net';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';

export interface CarriedTls {
  readonly socket: TLSSocket;
  /** Whether an `end` event came from TCP alone, without a close_notify (RFC 9112 section 9.8). */
  readonly wasCutOff: () => boolean;
}

/** @param accepted called when TCP is connected and TLS begins */
export function connectCarriedTls(
  place: { readonly host: string; readonly port: number },
  options: ConnectionOptions,
  accepted: () => void,
): CarriedTls {
  const carrier = new TlsCarrier(place, accepted);
  const socket = connectTls({ ...options, socket: carrier });
  let secure = false;
  const hasTakenAll = (): boolean =>
    !secure || (socket.readableFlowing === true && socket.readableLength === 0);
  socket
    .once('secureConnect', () => {
      secure = true;
    })
    .on('resume', () => carrier.endOnce(hasTakenAll));
  carrier.on('fin', () => carrier.endOnce(hasTakenAll));
  return { socket, wasCutOff: () => carrier.ended };
}

/**
 * Node reports a FIN without a close_notify as the same `end` as a clean close. This stream between TLS and the socket sees
 * the FIN itself, and passes it on only when TLS has received everything before it: a TLS socket that has not ended by then
 * was cut off. See test/wire/tls-closure.test.ts.
 */
class TlsCarrier extends Duplex {
  readonly #socket: Socket;
  #finCame = false;
  #ended = false;

  constructor(place: { readonly host: string; readonly port: number }, accepted: () => void) {
    super({ allowHalfOpen: true });
    this.#socket = connectTcp({ ...place, allowHalfOpen: true, noDelay: true });
    this.#socket
      .once('connect', accepted)
      .on('data', (bytes: Buffer) => {
        if (!this.push(bytes)) this.#socket.pause();
      })
      .on('end', () => {
        this.#finCame = true;
        this.emit('fin');
      })
      .on('error', (error) => this.destroy(error))
      .on('close', () => this.destroy());
  }

  /** Whether the FIN was passed on. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Passes the FIN on, one turn after the last bytes, if TLS has received everything before it. */
  endOnce(hasTakenAll: () => boolean): void {
    if (!this.#finCame || this.#ended) return;
    setImmediate(() => {
      if (this.#ended || this.destroyed || this.readableLength > 0 || !hasTakenAll()) return;
      this.#ended = true;
      this.push(null);
    });
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(bytes, done);
  }

  override _final(done: () => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}
