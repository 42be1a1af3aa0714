/** The first requests of a fresh process: one after the other, a browser's page of modules, and the first seconds of a load. */

import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, valueOf } from '../../test/harness/client.ts';
import type { Arguments } from '../arguments.ts';
import { load, median } from '../load.ts';
import { LASTBYTE } from '../peers.ts';
import type { Peer } from '../peers.ts';
import { Scene } from '../scene.ts';
import type { Running } from '../scene.ts';
import { figure, table } from '../tables.ts';

const ALONE = 20;
const MODULES = 500;
const MODULE_BYTES = 8 * 1024;
/** What a browser opens to one host. */
const BROWSER_CONNECTIONS = 6;
const CONNECTIONS = 32;
const SMALL_BYTES = 1024;
const WARM = 300;
/** From the start to the first request: as long as it takes to switch to the browser. */
const IDLE_MS = 2000;

interface Cold {
  readonly firstMs: number;
  /** Of the next ones, one after the other: the median. */
  readonly aloneMs: number;
  readonly pageMs: number;
  readonly requestsPerSecond: number;
  readonly p99Ms: number;
  /** One after the other again, after that load. */
  readonly warmMs: number;
}

export async function cold({ peers, rounds, seconds }: Arguments): Promise<string> {
  await using scene = await Scene.open();
  const results = new Map<string, Cold[]>(peers.map(({ name }) => [name, []]));
  // This process and the origin are no cost of a peer's.
  await oneByOne(scene, scene.originUrl, 1000);
  if (peers.includes(LASTBYTE)) results.set(AT_ONCE, []);
  for (let round = 0; round < rounds; round += 1) {
    for (const peer of peers) results.get(peer.name)?.push(await coldRound(scene, peer, seconds, IDLE_MS));
    results.get(AT_ONCE)?.push(await coldRound(scene, LASTBYTE, seconds, 0));
  }
  const how =
    `Medians of ${rounds} interleaved rounds. The first request, the page and the load each have a process that has ` +
    `answered nothing before, and has been idle for ${IDLE_MS / 1000} s, except "${AT_ONCE}". Page: ${MODULES} responses of ${MODULE_BYTES / 1024} KB over ${BROWSER_CONNECTIONS} connections. ` +
    `Load: \`wrk -t1 -c${CONNECTIONS}\`, 1 KB, for ${seconds} s. Warm: one after the other, after that load.`;
  return [how, coldTable(results)].join('\n\n');
}

/** The name of lastbyte without an idle time, so without its warm-up. */
const AT_ONCE = 'lastbyte, asked at once';

const COLUMNS: readonly (readonly [string, keyof Cold])[] = [
  ['first, ms', 'firstMs'],
  [`next ${ALONE}, ms each`, 'aloneMs'],
  ['page, ms', 'pageMs'],
  ['load, requests/s', 'requestsPerSecond'],
  ['p99, ms', 'p99Ms'],
  ['warm, ms each', 'warmMs'],
];

function coldTable(results: ReadonlyMap<string, readonly Cold[]>): string {
  const of = (name: string, what: keyof Cold): number =>
    median((results.get(name) ?? []).map((one) => one[what]));
  const directMs = of('direct', 'warmMs');
  const rows = Array.from(results.keys(), (name) => [
    name === 'lastbyte' ? '**lastbyte**' : name,
    ...COLUMNS.map(([, what]) => figure(of(name, what))),
    name === 'direct' ? '-' : figure(of(name, 'warmMs') - directMs),
  ]);
  return table(['', ...COLUMNS.map(([title]) => title), 'warm, added'], rows);
}

async function coldRound(scene: Scene, peer: Peer, seconds: number, idleMs: number): Promise<Cold> {
  const measured = <T>(measure: (running: Running) => Promise<T>): Promise<T> =>
    fresh(scene, peer, async (running) => {
      await sleep(idleMs);
      return await measure(running);
    });
  const [firstMs = Number.NaN, ...next] = await measured(({ url }) => oneByOne(scene, url, 1 + ALONE));
  const pageMs = await measured(({ url }) => page(scene, url));
  const loaded = await measured(async ({ url }) => {
    const { requestsPerSecond, p99Ms } = await load({
      url: url + scene.path(SMALL_BYTES),
      connections: CONNECTIONS,
      seconds,
    });
    return { requestsPerSecond, p99Ms, warmMs: median(await oneByOne(scene, url, WARM)) };
  });
  return { firstMs, aloneMs: median(next), pageMs, ...loaded };
}

/** With a process that has answered nothing; the origin is the same for all, and warm. */
async function fresh<T>(scene: Scene, peer: Peer, measure: (running: Running) => Promise<T>): Promise<T> {
  const running = await scene.start(peer);
  try {
    return await measure(running);
  } finally {
    await running.child[Symbol.asyncDispose]();
  }
}

/** How long each of so many requests took, one after the other, in ms. */
async function oneByOne(scene: Scene, url: string, count: number): Promise<number[]> {
  using connection = new Connection(url);
  const times: number[] = [];
  while (times.length < count) {
    const startedMs = performance.now();
    await connection.get(scene.path(SMALL_BYTES));
    times.push(performance.now() - startedMs);
  }
  return times;
}

async function page(scene: Scene, url: string): Promise<number> {
  const path = scene.path(MODULE_BYTES);
  let left = MODULES;
  const oneConnection = async (): Promise<void> => {
    using connection = new Connection(url);
    while (left > 0) {
      left -= 1;
      await connection.get(path);
    }
  };
  const startedMs = performance.now();
  await Promise.all(Array.from({ length: BROWSER_CONNECTIONS }, oneConnection));
  return performance.now() - startedMs;
}

/** One of a client's connections; a new one after each response that closes it, as plain http-proxy's do. */
class Connection implements Disposable {
  readonly #port: number;
  #client: Client | null = null;

  constructor(url: string) {
    this.#port = Number(new URL(url).port);
  }

  async get(path: string): Promise<void> {
    this.#client ??= await Client.connect(this.#port);
    await this.#client.send(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    const { status, fields } = await this.#client.response();
    if (status !== 200) throw new Error(`${path}: ${status}`);
    if (valueOf(fields, 'connection') === 'close') this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.#client?.[Symbol.dispose]();
    this.#client = null;
  }
}
