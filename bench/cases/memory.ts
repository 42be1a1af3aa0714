/** Peak memory of each peer, fresh, with 32 clients that each fetch 10 MB again and again; and of lastbyte with more. */

import { peakBytes, residentBytes } from '../../test/harness/procfs.ts';
import type { Arguments } from '../arguments.ts';
import { load } from '../load.ts';
import { LASTBYTE } from '../peers.ts';
import type { Peer } from '../peers.ts';
import { Scene } from '../scene.ts';
import { figure, mib, table } from '../tables.ts';

const BYTES = 10 * 1024 * 1024;
const CONNECTIONS = 32;
const MORE_CONNECTIONS = [64, 128, 256];

export async function memory({ peers, rounds, seconds }: Arguments): Promise<string> {
  await using scene = await Scene.open();
  const rows: string[][] = [];
  for (const peer of peers.filter(({ name }) => name !== 'direct'))
    rows.push([peer.name, ...(await figures(scene, peer, CONNECTIONS, rounds * seconds))]);
  const more: string[][] = [];
  for (const connections of MORE_CONNECTIONS)
    more.push([String(connections), ...(await figures(scene, LASTBYTE, connections, rounds * seconds))]);
  const how = `${CONNECTIONS} clients × 10 MB for ${rounds * seconds} s, each peer fresh and alone; resident memory of all its processes.`;
  return [
    how,
    table(['', ...FIGURES], rows),
    'lastbyte with more clients:',
    table(['clients', ...FIGURES], more),
  ].join('\n\n');
}

const FIGURES = ['after one response, MiB', 'peak, MiB', 'requests/s', 'errors'];

async function figures(scene: Scene, peer: Peer, connections: number, seconds: number): Promise<string[]> {
  const { url, child } = await scene.start(peer);
  await scene.expectRight(url, BYTES);
  const before = residentBytes(child.pid);
  const { requestsPerSecond, errors } = await load({ url: url + scene.path(BYTES), connections, seconds });
  const row = [mib(before), mib(peakBytes(child.pid)), figure(requestsPerSecond), String(errors)];
  await child[Symbol.asyncDispose]();
  return row;
}
