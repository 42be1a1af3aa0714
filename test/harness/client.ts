/** A client whose every byte is scripted, and which sees how its connection ends. */

import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { ByteReader, type End } from './byte-reader.ts';

export interface RawResponse {
  readonly status: number;
  readonly reason: string;
  /** Flat [name, value, …], as received. */
  readonly fields: readonly string[];
  readonly body: Buffer;
}

export class Client implements Disposable {
  readonly socket: Socket;
  readonly reader: ByteReader;

  private constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    this.reader = new ByteReader(this.socket);
  }

  static async connect(port: number): Promise<Client> {
    const client = new Client(port);
    await once(client.socket, 'connect');
    return client;
  }

  /** Bytes that came and were not taken as a response. */
  get left(): Buffer {
    return this.reader.left;
  }

  get ended(): End | null {
    return this.reader.ended;
  }

  /** Resolves when the bytes are with the kernel, or the connection is over. */
  send(bytes: string | Buffer): Promise<void> {
    return sent(this.socket, bytes);
  }

  halfClose(): void {
    this.socket.end();
  }

  /** Resolves when the proxy has ended its side, with how. */
  async end(): Promise<End> {
    return await this.reader.end();
  }

  /**
   * The next response, framed by its Content-Length: the only framing that a buffered response may have.
   * @throws when the connection ends first
   */
  async response(method = 'GET'): Promise<RawResponse> {
    const headEnd = await this.until('\r\n\r\n');
    const [line = '', ...lines] = this.left.toString('latin1', 0, headEnd).split('\r\n');
    const match = /^HTTP\/1\.1 (\d{3}) (.*)$/.exec(line);
    if (match === null) throw new Error(`not a status line: ${line}`);
    const [status, fields] = [Number(match[1]), fieldsOf(lines)];
    const bodyless = method === 'HEAD' || status < 200 || status === 204 || status === 304;
    const length = bodyless ? 0 : exactLength(fields);
    const all = await this.reader.take(headEnd + 4 + length);
    if (all === null) throw this.#endedEarly();
    return { status, reason: match[2] ?? '', fields, body: all.subarray(headEnd + 4) };
  }

  /** Where `text` begins in what came. @throws when the connection ends first */
  async until(text: string): Promise<number> {
    const at = await this.reader.find(text);
    if (at === null) throw this.#endedEarly();
    return at;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  #endedEarly(): Error {
    const came = JSON.stringify(this.left.toString('latin1').slice(0, 300));
    return new Error(`ended by ${this.ended} after ${came}`);
  }
}

/** Resolves when the bytes are with the kernel, or the connection is over; text is latin1. */
export function sent(socket: Socket, bytes: string | Buffer): Promise<void> {
  return new Promise((resolve) => {
    if (typeof bytes === 'string') socket.write(bytes, 'latin1', () => resolve());
    else socket.write(bytes, () => resolve());
  });
}

/** Flat [name, value, …] of the field lines of a head. */
export function fieldsOf(lines: readonly string[]): string[] {
  return lines.flatMap((one) => [one.slice(0, one.indexOf(':')), one.slice(one.indexOf(':') + 2)]);
}

function exactLength(fields: readonly string[]): number {
  const lengths = fields.filter(
    (_value, index) => index % 2 === 1 && fields[index - 1]?.toLowerCase() === 'content-length',
  );
  const [length] = lengths;
  if (lengths.length !== 1 || length === undefined || !/^\d+$/.test(length)) {
    throw new Error(`no exact Content-Length in ${JSON.stringify(fields)}`);
  }
  return Number(length);
}

/** The first value of a field, whatever its case. */
export function valueOf(fields: readonly string[], name: string): string | undefined {
  const at = fields.findIndex(
    (field, index) => index % 2 === 0 && field.toLowerCase() === name.toLowerCase(),
  );
  return at < 0 ? undefined : fields[at + 1];
}
