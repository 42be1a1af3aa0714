/** `npm run bench:regression`: lastbyte against plain http-proxy in one run, with a wide tolerance; exit code 1 below it. */

import { throughput } from './cases/throughput.ts';
import { LASTBYTE, PLAIN_HTTP_PROXY } from './peers.ts';
import { SIZES } from './scene.ts';
import { figure } from './tables.ts';

/** Requests a second, of those of http-proxy. On quiet machines 3 to 4: less than this is no noise. */
const LEAST = 1.8;
const CONNECTIONS = 32;

const sizes = SIZES.filter(({ bytes }) => bytes <= 1024 * 1024);
const plan = {
  peers: [LASTBYTE, PLAIN_HTTP_PROXY],
  sizes,
  rounds: 3,
  seconds: 2,
  warmUpSeconds: 6,
  connections: CONNECTIONS,
};
const results = await throughput(plan, (line) => process.stderr.write(`${line}\n`));
for (const { name } of sizes) {
  const [ours, plain] = [results.get('lastbyte')?.get(name), results.get('http-proxy')?.get(name)];
  const ratio = (ours?.requestsPerSecond ?? 0) / (plain?.requestsPerSecond ?? Number.NaN);
  // Refusals are quick: a rate that counts them would be no rate of responses.
  const errors = ours?.errors ?? 0;
  const isEnough = ratio >= LEAST && errors === 0;
  process.stdout.write(
    `${isEnough ? 'ok  ' : 'LOW '} ${name}: ${figure(ratio)} × http-proxy, at least ${LEAST}; ${errors} errors\n`,
  );
  if (!isEnough) process.exitCode = 1;
}
