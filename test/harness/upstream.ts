/** An upstream whose every octet is scripted, and which remembers what it saw. */

import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { once } from 'node:events';

/** One request as it came off the wire. */
export interface SeenRequest {
  readonly method: string;
  readonly target: string;
  /** Flat [name, value, …], as sent. */
  readonly fields: readonly string[];
}

/** One connection of the upstream, and what a script may do on it. */
export class UpstreamConnection {
  readonly socket: Socket;
  /** All octets that came. */
  received: Buffer = Buffer.alloc(0);
  /** How the peer ended its side. */
  ended: 'fin' | 'reset' | null = null;
  #taken = 0;
  readonly #onRequest: (request: SeenRequest) => void;

  constructor(socket: Socket, onRequest: (request: SeenRequest) => void) {
    this.socket = socket;
    this.#onRequest = onRequest;
    socket.on('data', (octets) => {
      this.received = Buffer.concat([this.received, octets]);
    });
    socket.on('end', () => {
      this.ended ??= 'fin';
    });
    socket.on('error', () => {
      this.ended ??= 'reset';
    });
  }

  /** The next request head, and `bodyBytes` octets behind it. Null: the peer left first. */
  async request(bodyBytes = 0): Promise<(SeenRequest & { readonly body: Buffer }) | null> {
    const headEnd = await this.#until(() => {
      const at = this.received.indexOf('\r\n\r\n', this.#taken);
      return at < 0 ? null : at + 4;
    });
    if (headEnd === null) return null;
    const [line = '', ...lines] = this.received.toString('latin1', this.#taken, headEnd - 4).split('\r\n');
    const [method = '', target = ''] = line.split(' ');
    const fields = lines.flatMap((one) => [one.slice(0, one.indexOf(':')), one.slice(one.indexOf(':') + 2)]);
    this.#taken = headEnd;
    const seen = { method, target, fields };
    this.#onRequest(seen);
    const body = await this.body(bodyBytes);
    return body === null ? null : { ...seen, body };
  }

  /** The next `bytes` octets. Null: the peer left first. */
  async body(bytes: number): Promise<Buffer | null> {
    const end = this.#taken + bytes;
    if ((await this.#until(() => (this.received.length >= end ? end : null))) === null) return null;
    const body = this.received.subarray(this.#taken, end);
    this.#taken = end;
    return body;
  }

  /** The next octets, to the end of `mark`. Null: the peer left first. */
  async through(mark: string): Promise<Buffer | null> {
    const end = await this.#until(() => {
      const at = this.received.indexOf(mark, this.#taken);
      return at < 0 ? null : at + mark.length;
    });
    if (end === null) return null;
    const octets = this.received.subarray(this.#taken, end);
    this.#taken = end;
    return octets;
  }

  /** Resolves when the octets are with the kernel. */
  send(octets: string | Buffer): Promise<void> {
    return new Promise((resolve) => {
      if (typeof octets === 'string') this.socket.write(octets, 'latin1', () => resolve());
      else this.socket.write(octets, () => resolve());
    });
  }

  fin(): void {
    this.socket.end();
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** Resolves when the peer has ended its side, with how. */
  async peerEnd(): Promise<'fin' | 'reset'> {
    while (this.ended === null) {
      if (this.socket.destroyed) return 'reset';
      await Promise.race([once(this.socket, 'end'), once(this.socket, 'close')]).catch(() => undefined);
      if (this.ended === null && this.socket.destroyed) this.ended = 'reset';
    }
    return this.ended;
  }

  async #until<T>(look: () => T | null): Promise<T | null> {
    for (;;) {
      const found = look();
      if (found !== null) return found;
      if (this.ended !== null || this.socket.destroyed) return null;
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.socket.off('data', wake).off('end', wake).off('close', wake);
          resolve();
        };
        this.socket.on('data', wake).on('end', wake).on('close', wake);
      });
    }
  }
}

/** What an upstream does on its connection number `index`, counted from 0. */
export type Script = (connection: UpstreamConnection, index: number) => Promise<void> | void;

export class Upstream implements AsyncDisposable {
  readonly connections: UpstreamConnection[] = [];
  readonly requests: SeenRequest[] = [];
  readonly #server;

  private constructor(script: Script) {
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      const connection = new UpstreamConnection(socket, (request) => this.requests.push(request));
      const index = this.connections.push(connection) - 1;
      void script(connection, index);
    });
  }

  static async start(script: Script, port = 0, host = '127.0.0.1'): Promise<Upstream> {
    const upstream = new Upstream(script);
    upstream.#server.listen(port, host);
    await once(upstream.#server, 'listening');
    return upstream;
  }

  get port(): number {
    const address: AddressInfo | string | null = this.#server.address();
    return address === null || typeof address === 'string' ? 0 : address.port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const { socket } of this.connections) socket.destroy();
    await closed;
  }
}

/** Answers every request on every connection with the same octets; `bodyBytes` of each request are read first. */
export function answering(response: string | Buffer, bodyBytes = 0): Script {
  return async (connection) => {
    while ((await connection.request(bodyBytes)) !== null) await connection.send(response);
    connection.fin();
  };
}

export function ok(body: string, fields = ''): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(body, 'latin1')}\r\n${fields}\r\n${body}`;
}
