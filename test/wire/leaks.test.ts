/** After everything that can happen, nothing of the proxy is left. */

import { readdirSync, readlinkSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { ExchangeRecord } from '../../src/index.ts';
import { Client } from '../harness/client.ts';
import { TestProxy } from '../harness/proxy.ts';
import { gained, settled } from '../harness/leftovers.ts';
import { connectionsRested } from '../harness/rest.ts';
import { Upstream, answering, ok } from '../harness/upstream.ts';
import type { Script } from '../harness/upstream.ts';

const EVERY_OUTCOME = ['abandoned', 'cut', 'delivered', 'refused', 'relayed', 'upgraded'];

/** Spool files have no name, so only their descriptors show that they are there; empty where there is no /proc. */
function openSpoolFiles(): string[] {
  try {
    return readdirSync('/proc/self/fd')
      .map(targetOf)
      .filter((target) => target.includes('lastbyte-test-'));
  } catch {
    return [];
  }
}

/** The folder was read through a descriptor that is closed by now. */
function targetOf(descriptor: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return '';
  }
}

/** How often `/saved` was asked for: every first try is cut. */
let savedAsked = 0;

const answers: Script = async (connection) => {
  for (;;) {
    const request = await connection.request();
    if (request === null) return connection.fin();
    switch (request.target) {
      case '/cut':
        await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
        return connection.reset();
      case '/cut-large':
        await connection.send(ok('x'.repeat(100_000)).slice(0, -1));
        return connection.fin();
      case '/saved':
        savedAsked += 1;
        await connection.send(savedAsked % 2 === 1 ? ok('whole').slice(0, -1) : ok('whole'));
        if (savedAsked % 2 === 1) return connection.fin();
        break;
      case '/silent':
        return;
      case '/events':
        await connection.send('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n');
        return;
      case '/cut-events':
        await connection.send(
          'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 99\r\n\r\ndata: 1\n\n',
        );
        return connection.fin();
      case '/ws':
        await connection.send(
          'HTTP/1.1 101 Switching Protocols\r\nUpgrade: foo\r\nConnection: Upgrade\r\n\r\nhello;',
        );
        await connection.peerEnd();
        return connection.fin();
      default:
        if (request.method === 'POST') await connection.body(3);
        await connection.send(ok('x'.repeat(100_000)));
    }
  }
};

/** One of everything, each on a connection of its own that is then left. */
async function mixture(upstream: Upstream, port: number): Promise<void> {
  const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
  const answered = [
    get('/'),
    get('/exempt/'),
    get('/cut'),
    get('/cut-large'),
    get('/saved'),
    get('/', 'Connection: close\r\n'),
    'GET / HTTP/1.0\r\n\r\n',
    'NONSENSE\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc',
    'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\nabc',
  ];
  for (const request of answered) {
    using client = await Client.connect(port);
    await client.send(request);
    await client.response();
  }
  for (const [request, sign] of [
    [get('/events'), 'data: 1'],
    [get('/ws', 'Connection: Upgrade\r\nUpgrade: foo\r\n'), 'hello;'],
  ] as const) {
    using client = await Client.connect(port);
    await client.send(request);
    await client.until(sign);
  }
  using cut = await Client.connect(port);
  await cut.send(get('/cut-events'));
  await cut.end();
  using silent = await Client.connect(port);
  const seen = upstream.requests.length;
  await silent.send(get('/silent'));
  while (upstream.requests.length === seen) await new Promise((resolve) => setImmediate(resolve));
  silent.socket.resetAndDestroy();
}

test('no socket, server, timer, temp file or listener is left', async () => {
  const before = process.getActiveResourcesInfo();
  const listenersBefore = process.eventNames().map((name) => [name, process.listenerCount(name)]);
  let records: readonly ExchangeRecord[] = [];
  {
    await using upstream = await Upstream.start(answers);
    await using proxy = await TestProxy.start(upstream.url, {
      admin: true,
      adminPort: 0,
      stream: ['/exempt/'],
      maxRequestBody: '1mb',
      memoryPerBody: '10kb',
      bodyHold: 1,
      lingerTimeout: 10,
      lingerTotal: 50,
      shutdownTimeout: 200,
    });
    for (let round = 0; round < 5; round += 1) await mixture(upstream, proxy.port);
    using idle = await Client.connect(proxy.port);
    await idle.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await idle.response();
    await proxy.proxy.close();
    records = proxy.records;
    // Before the other side goes too, which would hide a connection that was forgotten.
    const open = (): string[] =>
      upstream.connections
        .filter(({ ended, socket }) => ended === null && !socket.destroyed)
        .map(({ received }) => received.toString('latin1').slice(0, 40));
    expect(await settled(open)).toEqual([]);
    expect(await idle.end()).toBe('fin');
  }
  const outcomes = new Set(records.map((record) => record.outcome));
  expect([...outcomes].sort(), 'or else the mixture is none').toEqual(EVERY_OUTCOME);
  expect(records.filter((record) => record.url === '/saved' && record.attempts.length === 2).length).toBe(5);
  expect(await settled(() => [...gained(before), ...openSpoolFiles()])).toEqual([]);
  expect(process.eventNames().map((name) => [name, process.listenerCount(name)])).toEqual(listenersBefore);
});

test('a connection that lives long gathers no listeners', async () => {
  const warnings: Error[] = [];
  const keep = (warning: Error): void => {
    warnings.push(warning);
  };
  process.on('warning', keep);
  await using upstream = await Upstream.start(answering(ok('a')));
  await using proxy = await TestProxy.start(upstream.url);
  using client = await Client.connect(proxy.port);
  const ask = async (): Promise<void> => {
    await client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await client.response();
  };
  // Node warns of more than ten listeners.
  for (let index = 0; index < 20; index += 1) {
    await ask();
    await connectionsRested();
  }
  expect(upstream.connections.length).toBe(1);
  for (let index = 0; index < 200; index += 1) await ask();
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', keep);
  expect(warnings).toEqual([]);
});

const LARGE = ok('x'.repeat(100_000));
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
const LARGE_CHUNKED = `${CHUNKED}186a0\r\n${'x'.repeat(100_000)}\r\n0\r\n\r\n`;

test.each([
  ['in memory, by a length', '1mb', LARGE],
  ['in memory, in chunks', '1mb', LARGE_CHUNKED],
  ['on disk, by a length', '1kb', LARGE],
  ['on disk, in chunks', '1kb', LARGE_CHUNKED],
])('the room of a response that was cut is free again: %s', async (_name, memoryPerBody, text) => {
  await using upstream = await Upstream.start(async (connection, index) => {
    await connection.request();
    await connection.send(index % 3 === 2 ? text : text.slice(0, -1));
    connection.fin();
  });
  const limits = { memoryPerBody, memoryTotal: '1mb', diskTotal: '500kb' };
  await using proxy = await TestProxy.start(upstream.url, { ...limits, maxIdleConnections: 0 });
  using client = await Client.connect(proxy.port);
  // All responses that are cut here would need 5 times the room that there is.
  for (let index = 0; index < 40; index += 1) {
    await client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const response = await client.response();
    expect([response.status, response.body.length], `answer ${index}`).toEqual([200, 100_000]);
  }
  expect(upstream.connections.length).toBe(120);
});
