/** What Prometheus is told, and that nothing in the examples is made up. */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { BUILD, COUNTERS, HISTOGRAMS, READINGS } from '../../src/observe/metrics-table.ts';
import { askAdmin } from '../harness/admin.ts';
import { Client } from '../harness/client.ts';
import { Inspected } from '../harness/inspected.ts';
import { answering, ok } from '../harness/upstream.ts';
import type { Script } from '../harness/upstream.ts';

/** Every sample of a scrape, by its name and labels as they are written. */
async function scraped({ proxy }: Inspected): Promise<ReadonlyMap<string, number>> {
  const { status, type, body } = await askAdmin(proxy, '/metrics');
  expect([status, type]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
  const samples = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    samples.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

/** The first response is cut, each one after that is whole. */
const cutFirst: Script = async (connection, index) => {
  await connection.request();
  await connection.send(index === 0 ? ok('whole').slice(0, -2) : ok('whole', 'Connection: close\r\n'));
  connection.fin();
};

test('every exchange is counted, with its attempts and how they ended', async () => {
  await using inspected = await Inspected.start(cutFirst);
  await inspected.exchange('GET /saved');
  using client = await Client.connect(inspected.proxy.port);
  await client.send('NONSENSE\r\n\r\n');
  await client.response();
  await inspected.proxy.record(1);
  const samples = await scraped(inspected);
  const found = (name: string): number | undefined => samples.get(name);
  expect({
    delivered: found('lastbyte_exchanges_total{outcome="delivered"}'),
    refused: found('lastbyte_exchanges_total{outcome="refused"}'),
    cut: found('lastbyte_exchanges_total{outcome="cut"}'),
    ok: found('lastbyte_responses_total{class="2xx"}'),
    badRequests: found('lastbyte_refusals_total{error="bad_request"}'),
    retried: found('lastbyte_saved_total{by="retried"}'),
    first: found('lastbyte_attempts_total{reason="first",verdict="truncated"}'),
    second: found('lastbyte_attempts_total{reason="retry",verdict="complete"}'),
    fin: found('lastbyte_upstream_endings_total{ending="fin",request_body="none"}'),
    fromUpstream: found('lastbyte_upstream_body_bytes_total'),
    toClients: found('lastbyte_response_body_bytes_total'),
    durations: found('lastbyte_exchange_duration_seconds_count'),
    firstBytes: found('lastbyte_upstream_first_byte_seconds_count'),
    waits: found('lastbyte_wait_seconds_count'),
  }).toEqual({
    delivered: 1,
    refused: 1,
    cut: 0,
    ok: 1,
    badRequests: 1,
    retried: 1,
    first: 1,
    second: 1,
    fin: 1,
    fromUpstream: 8,
    toClients: 5,
    durations: 2,
    firstBytes: 2,
    waits: 0,
  });
});

test('what is under way is read at the scrape', async () => {
  let release = (): void => undefined;
  const answer = new Promise<void>((resolve) => {
    release = resolve;
  });
  await using inspected = await Inspected.start(async (connection) => {
    await connection.request();
    await answer;
    await connection.send(ok('x', 'Connection: close\r\n'));
    connection.fin();
  });
  const begun = new Promise((resolve) => {
    inspected.proxy.proxy.on('begun', resolve);
  });
  const exchange = inspected.exchange('GET /');
  await begun;
  const samples = await scraped(inspected);
  expect([samples.get('lastbyte_exchanges_in_flight'), samples.get('lastbyte_client_connections')]).toEqual([
    1, 1,
  ]);
  expect(samples.get('lastbyte_spool_memory_limit_bytes')).toBe(
    inspected.proxy.proxy.settings.memoryTotalBytes,
  );
  release();
  await exchange;
  expect((await scraped(inspected)).get('lastbyte_exchanges_in_flight')).toBe(0);
});

test('two proxies of one process count for themselves', async () => {
  await using busy = await Inspected.start(answering(ok('x')));
  await using idle = await Inspected.start(answering(ok('x')));
  await busy.exchange('GET /');
  const name = 'lastbyte_exchanges_total{outcome="delivered"}';
  expect([(await scraped(busy)).get(name), (await scraped(idle)).get(name)]).toEqual([1, 0]);
});

test('no request makes a series of its own', async () => {
  await using inspected = await Inspected.start(answering('HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n'));
  const before = [...(await scraped(inspected)).keys()];
  await inspected.exchange('FROBNICATE /x?y=z');
  expect([...(await scraped(inspected)).keys()]).toEqual(before);
});

describe('the examples', () => {
  const fileOf = (name: string): string =>
    readFileSync(path.join(import.meta.dirname, '..', '..', 'examples', name), 'utf8');
  const labelsOf = new Map<string, Readonly<Record<string, readonly string[]>>>([
    ...Object.values(COUNTERS).map(({ name, labels }) => [name, labels] as const),
    ...Object.values(READINGS).map(({ name }) => [name, {}] as const),
    [BUILD.name, { version: [] }],
    ...Object.values(HISTOGRAMS).flatMap(({ name }) => [
      [`${name}_bucket`, { le: [] }] as const,
      [`${name}_sum`, {}] as const,
      [`${name}_count`, {}] as const,
    ]),
  ]);

  test.each(['grafana/dashboard.json', 'prometheus/alerts.yml'])(
    '%s names only metrics that there are',
    (name) => {
      const used = fileOf(name).match(/\blastbyte_[a-z_]+/g) ?? [];
      expect(used.length).toBeGreaterThan(5);
      expect(used.filter((one) => !labelsOf.has(one))).toEqual([]);
    },
  );

  test.each(['grafana/dashboard.json', 'prometheus/alerts.yml'])(
    '%s asks for values that labels have',
    (name) => {
      const text = fileOf(name).replaceAll('\\"', '"');
      const selectors = [...text.matchAll(/\b(lastbyte_[a-z_]+)\{(\w+)(=~?)"([^"]*)"\}/g)];
      for (const [selector, metric = '', label = '', operator, value = ''] of selectors) {
        const values = labelsOf.get(metric)?.[label] ?? [];
        const wanted = operator === '=' ? [value] : value.split('|');
        for (const one of wanted) {
          expect(
            values.some((known) => new RegExp(`^(?:${one})$`).test(known)),
            `${selector}: ${one}`,
          ).toBe(true);
        }
      }
    },
  );
});
