/** A middleware for one test, in a server on a free port: its records kept, and nothing left of both afterwards. */

import type { Server } from 'node:http';
import { createMiddleware } from '../../src/middleware.ts';
import type { ExchangeRecord, Middleware, MiddlewareOptions } from '../../src/middleware.ts';
import { Bare } from './bare.ts';
import { KeptRecords, makeSpoolFolder, QUICK, removeEmpty } from './kept-records.ts';

export class TestMiddleware implements AsyncDisposable {
  readonly lastbyte: Middleware;
  readonly bare: Bare<Server>;
  readonly #spoolDir: string;
  readonly #kept = new KeptRecords();

  private constructor(lastbyte: Middleware, bare: Bare<Server>, spoolDir: string) {
    this.lastbyte = lastbyte;
    this.bare = bare;
    this.#spoolDir = spoolDir;
    lastbyte.events.on('exchange', this.#kept.add);
  }

  /** @param serve makes the server around the middleware */
  static async start(
    options: MiddlewareOptions,
    serve: (lastbyte: Middleware) => Server | Promise<Server>,
  ): Promise<TestMiddleware> {
    const spoolDir = makeSpoolFolder();
    const lastbyte = createMiddleware({ spoolDir, ...QUICK, ...options });
    await lastbyte.ready;
    return new TestMiddleware(lastbyte, await Bare.start(await serve(lastbyte)), spoolDir);
  }

  get port(): number {
    return this.bare.port;
  }

  get url(): string {
    return this.bare.url;
  }

  get records(): readonly ExchangeRecord[] {
    return this.#kept.all;
  }

  /** The record of exchange number `index`, counted from 0, once it is over. */
  record(index = 0): Promise<ExchangeRecord> {
    return this.#kept.at(index);
  }

  /** Fails when a temp file is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.lastbyte.close();
    await this.bare[Symbol.asyncDispose]();
    removeEmpty(this.#spoolDir);
  }
}
