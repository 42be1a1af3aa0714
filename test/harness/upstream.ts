/** An upstream whose every byte is scripted, and which remembers what it saw. */

import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { once } from 'node:events';
import { ByteReader, type End } from './byte-reader.ts';
import { fieldsOf, sent } from './client.ts';

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
  readonly #reader: ByteReader;
  readonly #parts: Buffer[] = [];
  readonly #onRequest: (request: SeenRequest) => void;

  constructor(socket: Socket, onRequest: (request: SeenRequest) => void) {
    this.socket = socket;
    this.#onRequest = onRequest;
    this.#reader = new ByteReader(socket);
    socket.on('data', (part: Buffer) => this.#parts.push(part));
  }

  /** All bytes that came. */
  get received(): Buffer {
    return Buffer.concat(this.#parts);
  }

  /** How the peer ended its side. */
  get ended(): End | null {
    return this.#reader.ended;
  }

  /** The next request head, and `bodyBytes` bytes after it. Null: the peer left first. */
  async request(bodyBytes = 0): Promise<(SeenRequest & { readonly body: Buffer }) | null> {
    const head = await this.#reader.until('\r\n\r\n');
    if (head === null) return null;
    const [line = '', ...lines] = head.split('\r\n');
    const [method = '', target = ''] = line.split(' ');
    const seen = { method, target, fields: fieldsOf(lines) };
    this.#onRequest(seen);
    const body = await this.body(bodyBytes);
    return body === null ? null : { ...seen, body };
  }

  /** The next bytes. Null: the peer left first. */
  async body(bytes: number): Promise<Buffer | null> {
    return await this.#reader.take(bytes);
  }

  /** The next bytes, to the end of `mark`. Null: the peer left first. */
  async through(mark: string): Promise<Buffer | null> {
    const at = await this.#reader.find(mark);
    return at === null ? null : await this.#reader.take(at + mark.length);
  }

  /** Resolves when the bytes are with the kernel. */
  send(bytes: string | Buffer): Promise<void> {
    return sent(this.socket, bytes);
  }

  fin(): void {
    this.socket.end();
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** Resolves when the peer has ended its side, with how. */
  async peerEnd(): Promise<End> {
    return await this.#reader.end();
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

/** Answers every request on every connection with the same bytes; `bodyBytes` of each request are read first. */
export function answering(response: string | Buffer, bodyBytes = 0): Script {
  return async (connection) => {
    while ((await connection.request(bodyBytes)) !== null) await connection.send(response);
    connection.fin();
  };
}

export function ok(body: string, fields = ''): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(body, 'latin1')}\r\n${fields}\r\n${body}`;
}
