/** What it costs to be watched: `npm run bench:watching`. The same load without the admin listener, with it, and with a watcher. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { buffer, text } from 'node:stream/consumers';
import { freePort, startOn } from '../test/real/child-server.ts';
import type { ChildServer } from '../test/real/child-server.ts';
import { startServer } from '../test/real/servers.ts';

const ROUNDS = Number(process.argv[2] ?? 5);
const SECONDS = 2;
const CONNECTIONS = 16;
const SIZES = [1_024, 51_200, 1_048_576] as const;
const CLOCK_TICKS_PER_SECOND = 100;

const WAYS = ['--no-admin', 'admin listener', 'with a watcher'] as const;
type Way = (typeof WAYS)[number];

interface Round {
  readonly requestsPerSecond: number;
  /** The proxy's own, in µs a request. */
  readonly processorMicros: number;
}

interface Front extends AsyncDisposable {
  readonly server: ChildServer;
  /** Octets that the watcher was sent. */
  readonly watched: () => number;
}

async function startFront(way: Way, target: string): Promise<Front> {
  const [port, adminPort] = [await freePort(), await freePort()];
  const admin = way === '--no-admin' ? ['--no-admin'] : ['--admin-port', String(adminPort)];
  const args = ['dist/bin.js', target, '--port', String(port), '--access-log', 'off', ...admin];
  const started = await startOn(port, { file: process.execPath, args, cwd: process.cwd() });
  if (started.kind === 'ended') throw new Error(started.output);
  const { server } = started;
  let octets = 0;
  const feed = way === 'with a watcher' ? http.get(`http://127.0.0.1:${adminPort}/api/events`) : null;
  if (feed !== null) {
    const [response]: http.IncomingMessage[] = await once(feed, 'response');
    response?.on('data', (part: Buffer) => {
      octets += part.length;
    });
    response?.on('error', () => undefined);
  }
  return {
    server,
    watched: () => octets,
    [Symbol.asyncDispose]: async () => {
      feed?.destroy();
      await server[Symbol.asyncDispose]();
    },
  };
}

async function load(front: Front, bytes: number): Promise<Round> {
  const { pid, url } = front.server;
  const before = processorSeconds(pid);
  const args = ['-t1', `-c${CONNECTIONS}`, `-d${SECONDS}s`, `${url}/bytes/${bytes}`];
  const wrk = spawn('wrk', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const output = await text(wrk.stdout);
  const requests = Number(/(\d+) requests in/.exec(output)?.[1]);
  if (!(requests > 0) || /Non-2xx/.test(output)) throw new Error(output);
  const micros = ((processorSeconds(pid) - before) * 1_000_000) / requests;
  return { requestsPerSecond: requests / SECONDS, processorMicros: micros };
}

function processorSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

await using origin = await startServer("Node's http");
const fronts = new Map<Way, Front>();
for (const way of WAYS) fronts.set(way, await startFront(way, origin.url));
await buffer(
  await new Promise<http.IncomingMessage>((resolve) => http.get(`${origin.url}/bytes/1`, resolve)),
);

process.stdout.write(
  `${ROUNDS} rounds of ${SECONDS} s each, interleaved; wrk -t1 -c${CONNECTIONS}; medians.\n\n`,
);
process.stdout.write(
  '| size | | requests/s | of --no-admin | proxy CPU, µs a request |\n|---|---|---|---|---|\n',
);
for (const bytes of SIZES) {
  const rounds = new Map<Way, Round[]>(WAYS.map((way) => [way, []]));
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [way, front] of fronts) {
      const measured = await load(front, bytes);
      // The first warms up.
      if (round > 0) rounds.get(way)?.push(measured);
    }
  }
  const alone = median((rounds.get('--no-admin') ?? []).map((one) => one.requestsPerSecond));
  for (const [way, all] of rounds) {
    const rate = median(all.map((one) => one.requestsPerSecond));
    const micros = median(all.map((one) => one.processorMicros));
    process.stdout.write(
      `| ${bytes} B | ${way} | ${rate.toFixed(0)} | ${(rate / alone).toFixed(2)} | ${micros.toFixed(0)} |\n`,
    );
  }
}
process.stdout.write(`\nThe watcher was sent ${fronts.get('with a watcher')?.watched() ?? 0} octets.\n`);
for (const front of fronts.values()) await front[Symbol.asyncDispose]();
