/** What is noted of an exchange while somebody watches it, and that nothing is when nobody does. */

import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import type { AttemptTimes, ExchangeBegun, ExchangeClosed, ExchangeNotes } from '../../src/index.ts';
import { askAdmin } from '../harness/admin.ts';
import { Client } from '../harness/client.ts';
import { TestProxy } from '../harness/proxy.ts';
import { Upstream, answering, ok } from '../harness/upstream.ts';

/** What the watchers of a proxy are told. */
function watch({ proxy }: TestProxy): { begun: ExchangeBegun[]; closed: Promise<ExchangeClosed> } {
  const begun: ExchangeBegun[] = [];
  proxy.on('begun', (one) => begun.push(one));
  const closed = new Promise<ExchangeClosed>((resolve) => {
    proxy.on('closed', resolve);
  });
  return { begun, closed };
}

async function notesOf(
  proxy: TestProxy,
  index = 0,
): Promise<{ notes: ExchangeNotes; attempts: AttemptTimes[] }> {
  const { notes, attempts } = await proxy.record(index);
  const times = attempts.flatMap((attempt) => (attempt.notes === null ? [] : [attempt.notes]));
  if (notes === null || times.length !== attempts.length) throw new Error('nothing was noted');
  return { notes, attempts: times };
}

/** Fails unless all of them happened, in this order. */
function expectInOrder(...moments: (number | null | undefined)[]): void {
  expect(moments.filter((moment) => typeof moment !== 'number')).toEqual([]);
  expect(moments.toSorted((a, b) => Number(a) - Number(b))).toEqual(moments);
}

test('nobody watches: nothing is noted', async () => {
  await using upstream = await Upstream.start(answering(ok('whole')));
  await using proxy = await TestProxy.start(upstream.url);
  using client = await Client.connect(proxy.port);
  await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await client.response();
  const record = await proxy.record();
  expect([record.notes, record.attempts[0]?.notes]).toEqual([null, null]);
});

test('a withheld body: every moment of the exchange is noted, in its order', async () => {
  await using upstream = await Upstream.start(async (connection) => {
    await connection.request(5);
    await connection.send(ok('whole'));
  });
  await using proxy = await TestProxy.start(upstream.url, { bodyHold: 30 });
  const { begun, closed } = watch(proxy);
  using client = await Client.connect(proxy.port);
  const clientPort = client.socket.localPort;
  await client.send('POST /a?b=1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello');
  expect((await client.response()).body.toString()).toBe('whole');
  const { notes, attempts } = await notesOf(proxy);
  client.halfClose();
  const { clientFinMs, ourFinMs, closedMs, reset, id } = await closed;
  const [one] = attempts;
  expectInOrder(
    notes.requestWholeMs,
    one?.connectedMs,
    one?.headSentMs,
    one?.bodyStartMs,
    one?.bodySentMs,
    one?.firstByteMs,
    one?.headMs,
    notes.deliveryMs,
    notes.writtenMs,
    clientFinMs,
    ourFinMs,
    closedMs,
  );
  expect(Number(one?.bodyStartMs) - Number(one?.headSentMs)).toBeGreaterThan(25);
  expect([reset, notes.keptAlive]).toEqual([false, false]);
  expect(notes.requestBody?.content().toString()).toBe('hello');
  expect(one?.body?.content().toString()).toBe('whole');
  expect(notes.responseFields).toEqual(['Content-Length', '5']);
  expect(begun).toMatchObject([
    { id, method: 'POST', url: '/a?b=1', clientAddress: '127.0.0.1', clientPort },
  ]);
});

test('a cut response: the part that came is kept, try by try', async () => {
  await using upstream = await Upstream.start(async (connection, index) => {
    await connection.request();
    await connection.send(index === 0 ? ok('whole').slice(0, -2) : ok('whole'));
    if (index === 0) connection.fin();
  });
  await using proxy = await TestProxy.start(upstream.url);
  watch(proxy);
  using client = await Client.connect(proxy.port);
  await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await client.response();
  const { notes, attempts } = await notesOf(proxy);
  expect(attempts.map(({ body }) => body?.content().toString())).toEqual(['who', 'whole']);
  expect([notes.keptAlive, notes.answerBody]).toEqual([true, null]);
});

test('a refusal: its own body is kept as the response', async () => {
  await using upstream = await Upstream.start((connection) => connection.reset());
  await using proxy = await TestProxy.start(upstream.url, { retries: 0 });
  watch(proxy);
  using client = await Client.connect(proxy.port);
  await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const { body } = await client.response();
  const { notes } = await notesOf(proxy);
  expect(notes.answerBody?.content()).toEqual(body);
});

test.each([
  ['in memory', '16mb'],
  ['in a file', 0],
])('a large body %s: its first 64 KiB are kept, as they were', async (_place, memoryPerBody) => {
  const body = Array.from({ length: 200_000 }, (_, index) => `line ${index}`).join('\n');
  await using upstream = await Upstream.start(answering(ok(body)));
  await using proxy = await TestProxy.start(upstream.url, { memoryPerBody });
  watch(proxy);
  using client = await Client.connect(proxy.port);
  await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  expect((await client.response()).body.length).toBe(body.length);
  const { attempts } = await notesOf(proxy);
  const kept = attempts[0]?.body;
  expect([kept?.bytes, kept?.keptBytes]).toEqual([body.length, 65_536]);
  expect(kept?.content().toString()).toBe(body.slice(0, 65_536));
});

test('waiting for a restart: each pause is noted', async () => {
  const free = createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const address: AddressInfo | string | null = free.address();
  const port = address === null || typeof address === 'string' ? 0 : address.port;
  free.close();
  await using proxy = await TestProxy.start(`http://127.0.0.1:${port}`, {
    waitForUpstream: '20s',
    admin: true,
    adminPort: 0,
  });
  watch(proxy);
  using client = await Client.connect(proxy.port);
  await client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  // Not before it was refused once: the first connect comes some turns after the request.
  await expect
    .poll(async () => (await askAdmin(proxy, '/metrics')).body)
    .toContain('lastbyte_requests_waiting 1\n');
  await using upstream = await Upstream.start(answering(ok('back')), port);
  expect((await client.response()).body.toString()).toBe('back');
  const { notes, attempts } = await notesOf(proxy);
  expect(notes.waits.length).toBe(attempts.length - 1);
  expect(attempts[0]?.connectedMs).toBeNull();
  expectInOrder(
    ...notes.waits.flatMap(({ startMs, endMs }) => [startMs, endMs]),
    attempts.at(-1)?.connectedMs,
  );
  expect(upstream.requests.length).toBe(1);
});

test('a client that leaves in the middle: its connection ended by a reset', async () => {
  await using upstream = await Upstream.start(async (connection) => {
    await connection.request();
    await connection.peerEnd();
  });
  await using proxy = await TestProxy.start(upstream.url);
  const { closed } = watch(proxy);
  using client = await Client.connect(proxy.port);
  const begun = once(proxy.proxy, 'begun');
  await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await begun;
  client.socket.resetAndDestroy();
  expect(await closed).toMatchObject({ reset: true, ourFinMs: null });
  expect((await proxy.record()).outcome).toBe('abandoned');
});

test('a stream: what is passed on is noted too', async () => {
  await using upstream = await Upstream.start(async (connection) => {
    await connection.request();
    await connection.send(
      'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 9\r\n\r\ndata: 1\n\n',
    );
  });
  for (const stream of [[], ['/']]) {
    await using proxy = await TestProxy.start(upstream.url, { stream });
    watch(proxy);
    using client = await Client.connect(proxy.port);
    await client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await client.until('data: 1\n\n');
    const { notes, attempts } = await notesOf(proxy);
    expect(attempts[0]?.body?.content().toString()).toBe('data: 1\n\n');
    expectInOrder(notes.deliveryMs, notes.writtenMs);
    expect(notes.responseFields.slice(0, 2)).toEqual(['Content-Type', 'text/event-stream']);
  }
});
