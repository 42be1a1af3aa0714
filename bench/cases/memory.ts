/** Peak memory of each peer, fresh, with 32 clients that each fetch 10 MB again and again. */

import { peakBytes, residentBytes } from '../../test/harness/procfs.ts';
import type { Arguments } from '../arguments.ts';
import { load } from '../load.ts';
import { Scene } from '../scene.ts';
import { figure, mib, table } from '../tables.ts';

const BYTES = 10 * 1024 * 1024;
const CONNECTIONS = 32;

export async function memory({ peers, rounds, seconds }: Arguments): Promise<string> {
  await using scene = await Scene.open();
  const rows: string[][] = [];
  for (const peer of peers.filter(({ name }) => name !== 'direct')) {
    const { url, child } = await scene.start(peer);
    await scene.expectRight(url, BYTES);
    const before = residentBytes(child.pid);
    const plan = { url: url + scene.path(BYTES), connections: CONNECTIONS, seconds: rounds * seconds };
    const { requestsPerSecond, errors } = await load(plan);
    rows.push([peer.name, mib(before), mib(peakBytes(child.pid)), figure(requestsPerSecond), String(errors)]);
    await child[Symbol.asyncDispose]();
  }
  const how = `${CONNECTIONS} clients × 10 MB for ${rounds * seconds} s, each peer fresh and alone; resident memory of all its processes.`;
  return [how, table(['', 'after one response, MiB', 'peak, MiB', 'requests/s', 'errors'], rows)].join(
    '\n\n',
  );
}
