/** lastbyte for one test: on a free port, with short clocks, its records kept, and nothing left of it afterwards. */

import { createProxy } from '../../src/index.ts';
import type { ExchangeRecord, Proxy, ProxyOptions } from '../../src/index.ts';
import { KeptRecords, makeSpoolFolder, QUICK, removeEmpty } from './kept-records.ts';

export class TestProxy implements AsyncDisposable {
  readonly proxy: Proxy;
  readonly #spoolDir: string;
  readonly #kept = new KeptRecords();

  private constructor(spoolDir: string, options: ProxyOptions) {
    this.#spoolDir = spoolDir;
    this.proxy = createProxy({ port: 0, admin: false, spoolDir, ...QUICK, ...options });
    this.proxy.on('exchange', this.#kept.add);
  }

  static async start(target: string, options: ProxyOptions = {}): Promise<TestProxy> {
    const spoolDir = makeSpoolFolder();
    try {
      const proxy = new TestProxy(spoolDir, { target, ...options });
      await proxy.proxy.start();
      return proxy;
    } catch (error) {
      removeEmpty(spoolDir);
      throw error;
    }
  }

  get port(): number {
    return Number(new URL(this.proxy.url).port);
  }

  get url(): string {
    return this.proxy.url;
  }

  get records(): readonly ExchangeRecord[] {
    return this.#kept.all;
  }

  /** The record of exchange number `index`, counted from 0, once it is over. */
  record(index = 0): Promise<ExchangeRecord> {
    return this.#kept.at(index);
  }

  /** Fails when the proxy leaves a temp file. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy.close();
    removeEmpty(this.#spoolDir);
  }
}
