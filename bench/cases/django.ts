/** Before the real Django runserver: does anybody wait because of lastbyte? */

import { startServer } from '../../test/real/servers.ts';
import type { Arguments } from '../arguments.ts';
import { leadIn, load, median } from '../load.ts';
import type { Load } from '../load.ts';
import { LASTBYTE } from '../peers.ts';
import { freePort } from '../../test/harness/ports.ts';
import { Scene } from '../scene.ts';
import { figure, table } from '../tables.ts';

const BYTES = 50 * 1024;
const CLIENTS: readonly number[] = [1, 4, 8, 32];

export async function django({ rounds, seconds, warmUpSeconds }: Arguments): Promise<string> {
  await using scene = await Scene.open();
  await using server = await startServer('Django runserver');
  const port = await freePort();
  await scene.startBefore(Number(new URL(server.url).port), port, LASTBYTE, 'django');
  const ways = [
    ['direct', server.url],
    ['through', `http://127.0.0.1:${port}`],
  ] as const;
  for (const [, url] of ways)
    for (const close of [false, true])
      await load({
        url: `${url}/bytes/${BYTES}`,
        connections: 8,
        seconds: Math.ceil(warmUpSeconds / 2),
        close,
      });
  const results = new Map<string, Load[]>();
  for (let round = 0; round < rounds; round += 1) {
    for (const connections of CLIENTS) {
      for (const close of [false, true]) {
        for (const [way, url] of ways) {
          const key = `${connections} ${close} ${way}`;
          const plan = { url: `${url}/bytes/${BYTES}`, connections, seconds, close };
          await leadIn(plan);
          const one = await load(plan);
          results.set(key, [...(results.get(key) ?? []), one]);
        }
      }
    }
  }
  const middle = (key: string, pick: (one: Load) => number): number =>
    median((results.get(key) ?? []).map(pick));
  const rows = CLIENTS.flatMap((connections) =>
    [false, true].map((close) => {
      const [direct, through] = [`${connections} ${close} direct`, `${connections} ${close} through`];
      const rate = (key: string): number => middle(key, (one) => one.requestsPerSecond);
      const p99 = (key: string): number => middle(key, (one) => one.p99Ms);
      return [
        `${connections} ${connections === 1 ? 'client' : 'clients'}, ${close ? 'close' : 'keep-alive'}`,
        figure(rate(direct)),
        figure(rate(through)),
        figure(rate(through) / rate(direct)),
        figure(p99(direct)),
        figure(p99(through)),
      ];
    }),
  );
  const head = ['', 'direct, requests/s', 'through', 'through ÷ direct', 'direct, p99 ms', 'through'];
  const how = `GET of 50 KB from Django's runserver; medians of ${rounds} interleaved rounds of ${seconds} s.`;
  return [how, table(head, rows)].join('\n\n');
}
