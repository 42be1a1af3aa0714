/** What it costs to be watched: `npm run bench:watching`. The same load without the admin listener, with it, and with a watcher. */

import { once } from 'node:events';
import http from 'node:http';
import { buffer } from 'node:stream/consumers';
import { startLastbyte } from '../test/harness/lastbyte.ts';
import { startServer } from '../test/real/servers.ts';
import { measured, median } from './load.ts';
import type { Measured } from './load.ts';

const ROUNDS = Number(process.argv[2] ?? 5);
const SECONDS = 2;
const CONNECTIONS = 16;
const SIZES = [1_024, 51_200, 1_048_576] as const;

const WAYS = ['--no-admin', 'admin listener', 'with a watcher'] as const;
type Way = (typeof WAYS)[number];

interface Front extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  /** Bytes that the watcher was sent. */
  readonly watched: () => number;
}

async function startFront(way: Way, target: string): Promise<Front> {
  const admin = way === '--no-admin' ? ['--no-admin'] : ['--admin-port', '0'];
  const command = startLastbyte([target, '--port', '0', '--access-log', 'off', ...admin]);
  const url = await command.url();
  let bytes = 0;
  const [, adminUrl = ''] = way === 'with a watcher' ? await command.says(/admin (http:\/\/[\d.:]+)/) : [];
  const feed = adminUrl === '' ? null : http.get(`${adminUrl}/api/events`);
  if (feed !== null) {
    const [response]: http.IncomingMessage[] = await once(feed, 'response');
    response?.on('data', (part: Buffer) => {
      bytes += part.length;
    });
    response?.on('error', () => undefined);
  }
  return {
    url,
    pid: command.pid,
    watched: () => bytes,
    [Symbol.asyncDispose]: async () => {
      feed?.destroy();
      await command[Symbol.asyncDispose]();
    },
  };
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
  const rounds = new Map<Way, Measured[]>(WAYS.map((way) => [way, []]));
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [way, front] of fronts) {
      const url = `${front.url}/bytes/${bytes}`;
      const one = await measured(front.pid, { url, connections: CONNECTIONS, seconds: SECONDS });
      if (one.errors > 0) throw new Error(`${way}: ${one.errors} errors`);
      // The first warms up.
      if (round > 0) rounds.get(way)?.push(one);
    }
  }
  const alone = median((rounds.get('--no-admin') ?? []).map((one) => one.requestsPerSecond));
  for (const [way, all] of rounds) {
    const rate = median(all.map((one) => one.requestsPerSecond));
    const micros = median(all.map((one) => one.cpuMicros));
    process.stdout.write(
      `| ${bytes} B | ${way} | ${rate.toFixed(0)} | ${(rate / alone).toFixed(2)} | ${micros.toFixed(0)} |\n`,
    );
  }
}
process.stdout.write(`\nThe watcher was sent ${fronts.get('with a watcher')?.watched() ?? 0} bytes.\n`);
for (const front of fronts.values()) await front[Symbol.asyncDispose]();
