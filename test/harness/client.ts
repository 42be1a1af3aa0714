/** A client whose every octet is scripted, and which sees how its connection ends. */

import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

export interface RawResponse {
  readonly status: number;
  readonly reason: string;
  /** Flat [name, value, …], as received. */
  readonly fields: readonly string[];
  readonly body: Buffer;
}

export class Client implements Disposable {
  readonly socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #ended: 'fin' | 'reset' | null = null;

  private constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    this.socket.on('data', (octets) => {
      this.#received = Buffer.concat([this.#received, octets]);
    });
    this.socket.on('end', () => {
      // See test/facts/reset.test.ts: nobody may have asked for the address before.
      const reset = !this.socket.writableEnded && this.socket.remoteAddress === undefined;
      this.#ended ??= reset ? 'reset' : 'fin';
    });
    this.socket.on('error', () => {
      this.#ended ??= 'reset';
    });
  }

  static async connect(port: number): Promise<Client> {
    const client = new Client(port);
    await once(client.socket, 'connect');
    return client;
  }

  /** Octets that came and were not taken as a response. */
  get left(): Buffer {
    return this.#received;
  }

  get ended(): 'fin' | 'reset' | null {
    return this.#ended;
  }

  /** Resolves when the octets are with the kernel, or the connection is over. */
  send(octets: string | Buffer): Promise<void> {
    return new Promise((resolve) => {
      if (typeof octets === 'string') this.socket.write(octets, 'latin1', () => resolve());
      else this.socket.write(octets, () => resolve());
    });
  }

  halfClose(): void {
    this.socket.end();
  }

  /** Resolves when the proxy has ended its side, with how. */
  async end(): Promise<'fin' | 'reset'> {
    while (this.#ended === null) await this.#change();
    return this.#ended;
  }

  /**
   * The next response, framed by its Content-Length: the only framing that a buffered response may have.
   * @throws when the connection ends first
   */
  async response(method = 'GET'): Promise<RawResponse> {
    const headEnd = (await this.until('\r\n\r\n')) + 4;
    const [line = '', ...lines] = this.#received.toString('latin1', 0, headEnd - 4).split('\r\n');
    const fields = lines.flatMap((one) => [one.slice(0, one.indexOf(':')), one.slice(one.indexOf(':') + 2)]);
    const match = /^HTTP\/1\.1 (\d{3}) (.*)$/.exec(line);
    if (match === null) throw new Error(`not a status line: ${line}`);
    const status = Number(match[1]);
    const bodyless = method === 'HEAD' || status < 200 || status === 204 || status === 304;
    const length = bodyless ? 0 : exactLength(fields);
    while (this.#received.length < headEnd + length) await this.#more();
    const body = this.#received.subarray(headEnd, headEnd + length);
    this.#received = this.#received.subarray(headEnd + length);
    return { status, reason: match[2] ?? '', fields, body };
  }

  /** Where `text` begins in what came. */
  async until(text: string): Promise<number> {
    for (;;) {
      const at = this.#received.indexOf(text, 0, 'latin1');
      if (at >= 0) return at;
      await this.#more();
    }
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  async #more(): Promise<void> {
    if (this.#ended !== null) {
      throw new Error(
        `ended by ${this.#ended} after ${JSON.stringify(this.#received.toString('latin1').slice(0, 300))}`,
      );
    }
    await this.#change();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.socket.off('data', wake).off('end', wake).off('close', wake);
        resolve();
      };
      this.socket.on('data', wake).on('end', wake).on('close', wake);
    });
  }
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
