// Constant traffic while runserver's autoreloader replaces its process: through lastbyte nothing fails that can be saved.
// LASTBYTE_RESTART_SECONDS=60 makes the run as long as one likes.

import { once } from 'node:events';
import http from 'node:http';
import { expect, test } from 'vitest';
import type { ExchangeRecord } from '../../src/index.ts';
import { createProxy } from '../../src/server/proxy.ts';
import { freePort } from '../harness/ports.ts';
import { need } from '../harness/need.ts';
import { startReloadingServer } from './reloading-server.ts';
import type { ReloadingServer } from './reloading-server.ts';
import { startServerOn, whyMissing } from './servers.ts';

const SECONDS = Number(process.env['LASTBYTE_RESTART_SECONDS'] ?? 9);
const TOUCH_EVERY_MS = 2_000;
const PAUSE_MS = 20;
const TRAFFIC = [
  { method: 'GET', path: '/bytes/200000' },
  { method: 'POST', path: '/echo' },
  { method: 'POST', path: '/bytes/200000' },
] as const;

/** What became of one request: its status, or the word for a failure. */
async function ask(url: string, method: string, path: string): Promise<string> {
  return await new Promise((resolve) => {
    const request = http.request(url + path, { method, agent: false }, (response) => {
      response
        .on('error', () => resolve('cut'))
        .on('end', () => resolve(String(response.statusCode)))
        .resume();
    });
    request.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    request.end(method === 'POST' ? 'a=1' : undefined);
  });
}

/** Asks again and again until the time is over, and counts what came. */
async function traffic(
  url: string,
  method: string,
  path: string,
  untilMs: number,
): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  while (performance.now() < untilMs) {
    const outcome = await ask(url, method, path);
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return counts;
}

const failures = (counts: ReadonlyMap<string, number>): number =>
  [...counts].reduce((sum, [outcome, count]) => (outcome === '200' ? sum : sum + count), 0);

/** Whether the upstream may have been at work on a request that must not be sent twice: then nothing may save it. */
const mayHaveBegun = ({ method, attempts }: ExchangeRecord): boolean => {
  const last = attempts.at(-1)?.evidence;
  const wasUnread = last?.ending.kind === 'rst' && last.requestBody === 'withheld';
  return method === 'POST' && last !== undefined && last.ending.kind !== 'connect-failed' && !wasUnread;
};

test(
  `in ${SECONDS} s of restarts no request fails that the upstream cannot have begun`,
  async (context) => {
    need(context, whyMissing('Django runserver'));
    await using server = await startReloadingServer();
    await using proxy = createProxy({ target: server.url, port: 0, admin: false });
    await proxy.start();
    const failed: ExchangeRecord[] = [];
    proxy.on('exchange', (record) => {
      if (record.status !== 200) failed.push(record);
    });
    const untilMs = performance.now() + SECONDS * 1000;
    const touching = setInterval(() => void server.touch(), TOUCH_EVERY_MS);
    const rows = await Promise.all(
      TRAFFIC.flatMap(({ method, path }) =>
        (
          [
            ['direct', server.url],
            ['through', proxy.url],
          ] as const
        ).map(async ([way, url]) => ({
          way,
          method,
          path,
          counts: await traffic(url, method, path, untilMs),
        })),
      ),
    );
    clearInterval(touching);
    const table = rows.map((row) => ({ ...row, counts: Object.fromEntries(row.counts) }));
    const through = rows.filter(({ way }) => way === 'through');
    const direct = rows.filter(({ way }) => way === 'direct');
    const sum = (some: typeof rows): number => some.reduce((all, { counts }) => all + failures(counts), 0);
    expect(
      failed.filter((record) => !mayHaveBegun(record)),
      JSON.stringify(table),
    ).toEqual([]);
    expect(sum(through)).toBe(failed.length);
    expect(sum(direct), 'the server did not restart').toBeGreaterThan(10 * sum(through));
  },
  (SECONDS + 60) * 1000,
);

/** Touches a source until the server takes no connections, and waits until it does again. */
async function restart(server: ReloadingServer): Promise<void> {
  const touching = setInterval(() => void server.touch(), 300);
  while ((await ask(server.url, 'GET', '/bytes/1')) !== 'ECONNREFUSED')
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  clearInterval(touching);
  while ((await ask(server.url, 'GET', '/bytes/1')) !== '200')
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}

test('three saves during one slow GET use up none of its tries, and the log says that the view ran again', async (context) => {
  need(context, whyMissing('Django runserver'));
  await using server = await startReloadingServer();
  await using proxy = createProxy({ target: server.url, port: 0, admin: false, waitForUpstream: '60s' });
  await proxy.start();
  const recorded = once(proxy, 'exchange');
  const asked = ask(proxy.url, 'GET', '/slow/9');
  for (let saves = 0; saves < 3; saves += 1) await restart(server);
  expect(await asked).toBe('200');
  const [record]: ExchangeRecord[] = await recorded;
  expect(record?.sentence).toContain('the view may have run 4 times');
});

test('a server that starts after lastbyte answers what was asked before it was there', async (context) => {
  need(context, whyMissing('Django runserver'));
  const port = await freePort();
  await using proxy = createProxy({ target: `http://127.0.0.1:${port}`, port: 0, admin: false });
  await proxy.start();
  const asked = TRAFFIC.map(({ method, path }) => ask(proxy.url, method, path));
  await using server = await startServerOn('Django runserver', port);
  expect(await Promise.all(asked), server.output).toEqual(['200', '200', '200']);
});
