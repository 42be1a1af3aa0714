/** A middleware for one test, in a server on a free port: its records kept, and nothing left of both afterwards. */

import { once } from 'node:events';
import type { Server } from 'node:http';
import { mkdtempSync, readdirSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMiddleware } from '../../src/middleware.ts';
import type { ExchangeRecord, Middleware, MiddlewareOptions } from '../../src/middleware.ts';
import { Bare } from './bare.ts';

export class TestMiddleware implements AsyncDisposable {
  readonly records: ExchangeRecord[] = [];
  readonly lastbyte: Middleware;
  readonly bare: Bare<Server>;
  readonly #spoolDir: string;

  private constructor(lastbyte: Middleware, bare: Bare<Server>, spoolDir: string) {
    this.lastbyte = lastbyte;
    this.bare = bare;
    this.#spoolDir = spoolDir;
    lastbyte.events.on('exchange', (record) => this.records.push(record));
  }

  /** @param serve makes the server around the middleware */
  static async start(
    options: MiddlewareOptions,
    serve: (lastbyte: Middleware) => Server,
  ): Promise<TestMiddleware> {
    const spoolDir = mkdtempSync(join(tmpdir(), 'lastbyte-test-'));
    const lastbyte = createMiddleware({
      spoolDir,
      retryBackoff: 1,
      waitForUpstream: 0,
      bodyIdleTimeout: 400,
      firstByteTimeout: 2000,
      ...options,
    });
    await lastbyte.ready;
    return new TestMiddleware(lastbyte, await Bare.start(serve(lastbyte)), spoolDir);
  }

  get port(): number {
    return this.bare.port;
  }

  get url(): string {
    return this.bare.url;
  }

  /** The record of exchange number `index`, counted from 0, once it is over. */
  async record(index = 0): Promise<ExchangeRecord> {
    for (;;) {
      const record = this.records[index];
      if (record !== undefined) return record;
      await once(this.lastbyte.events, 'exchange');
    }
  }

  /** Fails when a temp file is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.lastbyte.close();
    await this.bare[Symbol.asyncDispose]();
    const files = readdirSync(this.#spoolDir);
    if (files.length > 0) throw new Error(`left in the spool folder: ${files.join(', ')}`);
    rmdirSync(this.#spoolDir);
  }
}
