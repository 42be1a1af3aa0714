/** A proxy with its admin listener, in front of a scripted upstream, and what the listener says. */

import type { FullView, Page, SummaryView } from '../../src/observe/inspector/types.ts';
import type { ProxyOptions } from '../../src/index.ts';
import { askAdmin } from './admin.ts';
import { Client } from './client.ts';
import { TestProxy } from './proxy.ts';
import { Upstream } from './upstream.ts';
import type { Script } from './upstream.ts';

export class Inspected implements AsyncDisposable {
  readonly upstream: Upstream;
  readonly proxy: TestProxy;

  private constructor(upstream: Upstream, proxy: TestProxy) {
    this.upstream = upstream;
    this.proxy = proxy;
  }

  static async start(script: Script, options: ProxyOptions = {}): Promise<Inspected> {
    const upstream = await Upstream.start(script);
    const proxy = await TestProxy.start(upstream.url, { admin: true, adminPort: 0, ...options });
    return new Inspected(upstream, proxy);
  }

  /** Sends one request over a connection of its own; resolves when the exchange is over. */
  async exchange(request: string, body = ''): Promise<string> {
    const before = this.proxy.records.length;
    using client = await Client.connect(this.proxy.port);
    await client.send(
      `${request} HTTP/1.1\r\nHost: localhost:${this.proxy.port}\r\nConnection: close\r\n${body === '' ? '' : `Content-Length: ${body.length}\r\n`}\r\n${body}`,
    );
    await client.response(request.split(' ')[0]);
    client.halfClose();
    await client.end();
    return (await this.proxy.record(before)).id;
  }

  summary(): Promise<SummaryView> {
    return this.#get('/api/summary', isSummary);
  }

  #get<T>(path: string, is: (value: unknown) => value is T): Promise<T> {
    return askAdmin(this.proxy, path).then(({ body, status }) => {
      const value: unknown = JSON.parse(body);
      if (status !== 200 || !is(value)) throw new Error(`${path}: ${status} ${body}`);
      return value;
    });
  }

  page(query = ''): Promise<Page> {
    return this.#get(`/api/exchanges${query}`, isPage);
  }

  full(id: string): Promise<FullView> {
    return this.#get(`/api/exchanges/${id}`, isFull);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy[Symbol.asyncDispose]();
    await this.upstream[Symbol.asyncDispose]();
  }
}

/** Whether it is an object with this property. */
export function has(value: unknown, name: string): boolean {
  return typeof value === 'object' && value !== null && name in value;
}

const isPage = (value: unknown): value is Page => has(value, 'exchanges');
const isFull = (value: unknown): value is FullView => has(value, 'timeline');
const isSummary = (value: unknown): value is SummaryView => has(value, 'outcomes');
