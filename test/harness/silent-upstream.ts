/** An upstream that is asked and says nothing, and a client that does not wait for it. */

import { signal } from './bare.ts';
import { Client } from './client.ts';
import { Upstream } from './upstream.ts';

export class SilentUpstream implements AsyncDisposable {
  readonly #upstream: Upstream;
  readonly #asked: Promise<void>;
  readonly #left: Promise<void>;

  private constructor(upstream: Upstream, asked: Promise<void>, left: Promise<void>) {
    this.#upstream = upstream;
    this.#asked = asked;
    this.#left = left;
  }

  static async start(): Promise<SilentUpstream> {
    const asked = signal<void>();
    const left = signal<void>();
    const upstream = await Upstream.start(async (connection) => {
      await connection.request();
      asked.resolve();
      await connection.peerEnd();
      left.resolve();
    });
    return new SilentUpstream(upstream, asked.promise, left.promise);
  }

  get url(): string {
    return this.#upstream.url;
  }

  /** A client asks at `port`, and resets its connection while this is silent. Resolves when this is left alone, too. */
  async askAndLeave(port: number, request: string): Promise<void> {
    using client = await Client.connect(port);
    await client.send(request);
    await this.#asked;
    client.socket.resetAndDestroy();
    await this.#left;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#upstream[Symbol.asyncDispose]();
  }
}
