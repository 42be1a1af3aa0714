/** lastbyte for one test: on a free port, with short clocks, its records kept, and nothing left of it afterwards. */

import { mkdtempSync, readdirSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createProxy } from '../../src/index.ts';
import type { ExchangeRecord, Proxy, ProxyOptions } from '../../src/index.ts';

export class TestProxy implements AsyncDisposable {
  readonly records: ExchangeRecord[] = [];
  readonly proxy: Proxy;
  readonly #spoolDir: string;
  readonly #waiting: (() => void)[] = [];

  private constructor(spoolDir: string, options: ProxyOptions) {
    this.#spoolDir = spoolDir;
    this.proxy = createProxy({
      port: 0,
      admin: false,
      spoolDir,
      retryBackoff: 1,
      waitForUpstream: 0,
      bodyIdleTimeout: 400,
      firstByteTimeout: 2000,
      ...options,
    });
    this.proxy.on('exchange', (record) => {
      this.records.push(record);
      for (const wake of this.#waiting.splice(0)) wake();
    });
  }

  static async start(target: string, options: ProxyOptions = {}): Promise<TestProxy> {
    const spoolDir = mkdtempSync(join(tmpdir(), 'lastbyte-test-'));
    try {
      const proxy = new TestProxy(spoolDir, { target, ...options });
      await proxy.proxy.start();
      return proxy;
    } catch (error) {
      rmdirSync(spoolDir);
      throw error;
    }
  }

  get port(): number {
    return Number(new URL(this.proxy.url).port);
  }

  get url(): string {
    return this.proxy.url;
  }

  /** The record of exchange number `index`, counted from 0, once it is over. */
  async record(index = 0): Promise<ExchangeRecord> {
    for (;;) {
      const record = this.records[index];
      if (record !== undefined) return record;
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
  }

  /** Fails when the proxy leaves a temp file. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy.close();
    const files = readdirSync(this.#spoolDir);
    if (files.length > 0) throw new Error(`left in the spool folder: ${files.join(', ')}`);
    rmdirSync(this.#spoolDir);
  }
}
