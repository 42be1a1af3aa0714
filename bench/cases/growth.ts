/** How lastbyte's cost grows: with the size of the response, and with the number of clients. */

import type { Arguments } from '../arguments.ts';
import { load, measured, median } from '../load.ts';
import type { Measured } from '../load.ts';
import { LASTBYTE } from '../peers.ts';
import { Scene } from '../scene.ts';
import { figure, table } from '../tables.ts';

const KIB = 1024;
const BODIES: readonly number[] = [1, 4, 16, 64, 256, 1024, 4096, 16_384].map((kib) => kib * KIB);
const CLIENTS: readonly number[] = [1, 4, 16, 64, 256];
const CONNECTIONS = 32;
const SMALL = 4 * KIB;

export async function growth({ rounds, seconds, warmUpSeconds }: Arguments): Promise<string> {
  await using scene = await Scene.open();
  const { url, child } = await scene.start(LASTBYTE);
  await load({ url: url + scene.path(KIB), connections: CONNECTIONS, seconds: warmUpSeconds });
  const one = async (bytes: number, connections: number): Promise<Measured> =>
    await measured(child.pid, { url: url + scene.path(bytes), connections, seconds });
  const bySize = new Map<number, Measured[]>();
  const byClients = new Map<number, Measured[]>();
  for (let round = 0; round < rounds; round += 1) {
    for (const clients of CLIENTS) push(byClients, clients, await one(SMALL, clients));
    for (const bytes of BODIES) push(bySize, bytes, await one(bytes, CONNECTIONS));
  }
  const sizes = Array.from(bySize, ([bytes, all]) => [
    `${bytes / KIB} KB`,
    ...figuresOf(all),
    figure(median(all.map(({ cpuMicros }) => cpuMicros)) / (bytes / KIB)),
  ]);
  const clients = Array.from(byClients, ([count, all]) => [String(count), ...figuresOf(all)]);
  const columns = ['requests/s', 'CPU, µs a request', 'p50, ms', 'p99, ms'];
  return [
    `Medians of ${rounds} interleaved rounds of ${seconds} s. ${CONNECTIONS} clients, by the size of the response:`,
    table(['answer', ...columns, 'µs a KB'], sizes),
    '4 KB answers, by the number of clients:',
    table(['clients', ...columns], clients),
  ].join('\n\n');
}

function figuresOf(all: readonly Measured[]): string[] {
  const middle = (pick: (one: Measured) => number): string => figure(median(all.map(pick)));
  return [
    middle((one) => one.requestsPerSecond),
    middle((one) => one.cpuMicros),
    middle((one) => one.p50Ms),
    middle((one) => one.p99Ms),
  ];
}

function push(map: Map<number, Measured[]>, key: number, one: Measured): void {
  map.set(key, [...(map.get(key) ?? []), one]);
}
