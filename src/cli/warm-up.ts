/**
 * Lets V8 compile the code of an exchange before the first client needs it. A function runs slowly until it has been called often, so a
 * second proxy in this process fetches pages from a small server of its own while nobody uses the first. See decision 19.
 */

import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import { Writable } from 'node:stream';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Settings } from '../config/settings.ts';
import { portOf } from '../config/target.ts';
import { Proxy } from '../server/proxy.ts';
import type { Output } from './commands.ts';

/** A server that starts together with the proxy needs the processor first, and a client that comes sooner warms the code up itself. */
const AFTER_START_MS = 500;
/** V8 optimizes what has been called a few hundred times. */
const REQUESTS = 500;
/** On a slow machine, fewer requests have to do. */
const MAX_MS = 1000;

export interface WarmUpOptions {
  readonly settings: Settings;
  /** Adds the same listeners to the second proxy as the first one has. */
  readonly observe: (second: Proxy) => void;
  /** Ms from now. Default: 500. */
  readonly afterMs?: number;
}

/** A warm-up that is scheduled or in progress. It ends as soon as the proxy has a client. */
export class WarmUp {
  readonly #served: Proxy;
  readonly #stopping = new AbortController();
  /** Resolves with the number of requests made, when nothing is left of the warm-up. Never rejects: nothing depends on it. */
  readonly done: Promise<number>;

  /** @param served the proxy that clients use */
  constructor(served: Proxy, options: WarmUpOptions) {
    this.#served = served;
    served.once('exchange', this.stop);
    this.done = this.#run(options).finally(() => served.off('exchange', this.stop));
  }

  /** Ends it at once. */
  readonly stop = (): void => this.#stopping.abort();

  get #isStopped(): boolean {
    return this.#stopping.signal.aborted || this.#served.running > 0;
  }

  async #run({ settings, observe, afterMs = AFTER_START_MS }: WarmUpOptions): Promise<number> {
    const { signal } = this.#stopping;
    // A stop rejects.
    await sleep(afterMs, undefined, { signal, ref: false }).catch(() => undefined);
    if (this.#isStopped) return 0;
    const scene = new Scene();
    let made = 0;
    try {
      signal.addEventListener('abort', () => scene.destroy(), { once: true });
      await scene.open(settings, observe);
      const deadlineMs = performance.now() + MAX_MS;
      while (made < REQUESTS && !this.#isStopped && performance.now() < deadlineMs) {
        await scene.fetch(made);
        made += 1;
        // What clients have sent meanwhile comes first.
        await nextTurn();
      }
    } catch {
      // Stopped, or there is no loopback here: then the first responses take a few milliseconds longer.
    } finally {
      await scene.close();
    }
    return made;
  }
}

/** The second proxy, its upstream, and its client. */
class Scene {
  readonly #origin: Server = createServer(respond);
  readonly #agent = new Agent({ keepAlive: true });
  #proxy: Proxy | null = null;

  async open(settings: Settings, observe: (second: Proxy) => void): Promise<void> {
    this.#origin.listen(0, LOOPBACK);
    await once(this.#origin, 'listening');
    const proxy = new Proxy(secondSettings(settings, portOf(this.#origin.address()) ?? 0));
    observe(proxy);
    await proxy.start();
    this.#proxy = proxy;
  }

  async fetch(index: number): Promise<void> {
    const method = index % POST_EVERY === POST_EVERY - 1 ? 'POST' : 'GET';
    const path = PATHS[index % PATHS.length] ?? '/';
    const outgoing = request(`${this.#proxy?.url}${path}`, { agent: this.#agent, method, headers: FIELDS });
    outgoing.end(method === 'POST' ? FORM : undefined);
    const [response]: IncomingMessage[] = await once(outgoing, 'response');
    if (response === undefined) return;
    const ended = once(response, 'end');
    response.resume();
    await ended;
  }

  /** Ends it at once; a `fetch` in progress fails. */
  destroy(): void {
    this.#agent.destroy();
    this.#proxy?.destroy();
    this.#origin.closeAllConnections();
  }

  async close(): Promise<void> {
    this.#agent.destroy();
    await this.#proxy?.close();
    this.#origin.closeAllConnections();
    if (!this.#origin.listening) return;
    this.#origin.close();
    await once(this.#origin, 'close');
  }
}

const LOOPBACK = '127.0.0.1';

/** As given, except for the addresses. */
function secondSettings(settings: Settings, originPort: number): Settings {
  return {
    ...settings,
    target: { kind: 'tcp', tls: false, host: LOOPBACK, port: originPort },
    port: 0,
    host: LOOPBACK,
    socketPath: null,
    tlsCert: null,
    tlsKey: null,
    adminPort: 0,
    adminHost: LOOPBACK,
  };
}

/** A page, and what it loads. */
const PATHS: readonly string[] = ['/', '/module.js', '/module.js?v=1', '/style.css'];
const POST_EVERY = 10;
const FORM = 'name=value&other=value';
/** What browsers send. */
const FIELDS: Readonly<Record<string, string>> = {
  'User-Agent': 'lastbyte',
  Accept: '*/*',
  'Accept-Encoding': 'gzip, deflate, br',
  'Accept-Language': 'en',
  'Cache-Control': 'no-cache',
  Cookie: 'session=1',
  Referer: 'http://localhost/',
};
const CONTENT = Buffer.alloc(8 * 1024, 'a');

/** The page is chunked, the others have a Content-Length. */
function respond(incoming: IncomingMessage, response: ServerResponse): void {
  incoming.resume();
  response.setHeader('Content-Type', incoming.url === '/' ? 'text/html' : 'text/javascript');
  response.setHeader('Cache-Control', 'no-cache');
  response.setHeader('ETag', '"1"');
  if (incoming.url === '/') response.write(CONTENT);
  response.end(CONTENT);
}

/** Where the log of the second proxy goes: written like that of the first one, and read by nobody. */
export function nowhere(like: Output): Output {
  const stream = new Writable({ write: (_lines, _encoding, done) => done() });
  return Object.assign(stream, { isTTY: like.isTTY === true });
}
