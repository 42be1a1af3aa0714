/** The warm-up after a start: what it does, when it does not, and that nothing of it is left or seen. */

import { EventEmitter, once } from 'node:events';
import { expect, test } from 'vitest';
import { WarmUp } from '../../src/cli/warm-up.ts';
import type { ExchangeRecord, Proxy } from '../../src/index.ts';
import { Client } from '../harness/client.ts';
import { gained, settled } from '../harness/leftovers.ts';
import { TestProxy } from '../harness/proxy.ts';
import { Upstream, answering, ok } from '../harness/upstream.ts';

const LONG_MS = 60_000;
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

function warm(
  { proxy }: TestProxy,
  options: { afterMs: number; onExchange?: (record: ExchangeRecord) => void },
): { warmUp: WarmUp; records: ExchangeRecord[] } {
  const records: ExchangeRecord[] = [];
  const observe = (second: Proxy): void => {
    second.on('exchange', (record) => {
      records.push(record);
      options.onExchange?.(record);
    });
  };
  return {
    warmUp: new WarmUp(proxy, { settings: proxy.settings, observe, afterMs: options.afterMs }),
    records,
  };
}

test('each of its responses is delivered, and neither the upstream nor anybody who watches the proxy sees them', async () => {
  await using upstream = await Upstream.start(answering(ok('whole')));
  await using proxy = await TestProxy.start(upstream.url, { admin: true, adminPort: 0 });
  const before = process.getActiveResourcesInfo();
  const listeners = proxy.proxy.listenerCount('exchange');
  const { warmUp, records } = warm(proxy, { afterMs: 0 });
  const made = await warmUp.done;
  expect(made).toBeGreaterThan(0);
  expect(records.map(({ outcome }) => outcome)).toEqual(Array(made).fill('delivered'));
  expect([...new Set(records.map(({ method }) => method))].toSorted()).toEqual(['GET', 'POST']);
  expect([upstream.connections.length, proxy.records.length]).toEqual([0, 0]);
  expect(proxy.proxy.listenerCount('exchange')).toBe(listeners);
  expect(await settled(() => gained(before))).toEqual([]);
});

test('a client that comes first cancels it', async () => {
  await using upstream = await Upstream.start(answering(ok('whole')));
  await using proxy = await TestProxy.start(upstream.url);
  const { warmUp, records } = warm(proxy, { afterMs: LONG_MS });
  using client = await Client.connect(proxy.port);
  await client.send(GET);
  expect((await client.response()).body.toString()).toBe('whole');
  expect([await warmUp.done, records]).toEqual([0, []]);
});

test('a client that waits for its response when it would begin cancels it', async () => {
  const events = new EventEmitter();
  await using upstream = await Upstream.start(async (connection) => {
    const answer = once(events, 'answer');
    await connection.request();
    events.emit('asked');
    await answer;
    await connection.send(ok('whole'));
  });
  await using proxy = await TestProxy.start(upstream.url);
  using client = await Client.connect(proxy.port);
  const asked = once(events, 'asked');
  await client.send(GET);
  await asked;
  const { warmUp } = warm(proxy, { afterMs: 0 });
  expect(await warmUp.done).toBe(0);
  events.emit('answer');
  expect((await client.response()).body.toString()).toBe('whole');
});

test('a client that comes in the middle gets its response, and ends it', async () => {
  await using upstream = await Upstream.start(answering(ok('whole')));
  await using proxy = await TestProxy.start(upstream.url);
  using client = await Client.connect(proxy.port);
  const { warmUp, records } = warm(proxy, {
    afterMs: 0,
    onExchange: () => {
      if (records.length === 1) void client.send(GET);
    },
  });
  expect((await client.response()).body.toString()).toBe('whole');
  expect(await warmUp.done).toBeLessThan(200);
});

test('it can be stopped at any time, and leaves nothing', async () => {
  await using upstream = await Upstream.start(answering(ok('whole')));
  await using proxy = await TestProxy.start(upstream.url);
  const before = process.getActiveResourcesInfo();
  const later = warm(proxy, { afterMs: LONG_MS });
  later.warmUp.stop();
  expect(await later.warmUp.done).toBe(0);
  const { warmUp } = warm(proxy, { afterMs: 0, onExchange: () => warmUp.stop() });
  expect(await warmUp.done).toBeLessThan(200);
  expect(await settled(() => gained(before))).toEqual([]);
});

test('an error of it stays its own', async () => {
  await using upstream = await Upstream.start(answering(ok('whole')));
  await using proxy = await TestProxy.start(upstream.url);
  const { settings } = proxy.proxy;
  const before = process.getActiveResourcesInfo();
  const observe = (): void => {
    throw new Error('refused');
  };
  const warmUp = new WarmUp(proxy.proxy, { settings, observe, afterMs: 0 });
  expect(await warmUp.done).toBe(0);
  const strict = { ...settings, maxResponseBodyBytes: 1, maxRequestBodyBytes: 1 };
  const refused = new WarmUp(proxy.proxy, { settings: strict, observe: () => undefined, afterMs: 0 });
  expect(await refused.done).toBeGreaterThan(0);
  expect(await settled(() => gained(before))).toEqual([]);
});
