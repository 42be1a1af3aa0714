/** The end of the proxy: what is under way ends as it should, is told, and is logged. */

import { connect } from 'node:net';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { Client, valueOf } from '../harness/client.ts';
import { TestProxy } from '../harness/proxy.ts';
import { Upstream, answering, ok } from '../harness/upstream.ts';
import { signal } from '../harness/bare.ts';

const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
const UPGRADE = 'GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const EVENTS =
  'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nevent\n\r\n';

/** Long enough for every step of a test, short enough to wait for. */
const DEADLINE = { shutdownTimeout: 400, lingerTimeout: 50 };

describe('what can finish', () => {
  test('a response that is being buffered comes whole, with Connection: close', async () => {
    const half = signal<void>();
    const rest = signal<void>();
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
      half.resolve();
      await rest.promise;
      await connection.send('world');
    });
    await using proxy = await TestProxy.start(upstream.url);
    using client = await Client.connect(proxy.port);
    await client.send(GET);
    await half.promise;
    const closed = proxy.proxy.close();
    rest.resolve();
    const { status, body, fields } = await client.response();
    expect([status, body.toString(), valueOf(fields, 'connection')]).toEqual([200, 'helloworld', 'close']);
    client.halfClose();
    expect(await client.end()).toBe('fin');
    await closed;
    expect(proxy.records).toMatchObject([{ outcome: 'delivered', status: 200 }]);
  });

  test('a response that a client is slow to read comes whole', async () => {
    const large = 'x'.repeat(20_000_000);
    await using upstream = await Upstream.start(answering(ok(large)));
    await using proxy = await TestProxy.start(upstream.url);
    using client = await Client.connect(proxy.port);
    await client.send(GET);
    await client.until('\r\n\r\n');
    client.socket.pause();
    const closed = proxy.proxy.close();
    client.socket.resume();
    expect((await client.response()).body.length).toBe(large.length);
    client.halfClose();
    await closed;
    expect(proxy.records).toMatchObject([{ outcome: 'delivered' }]);
  });

  test('an upload goes on, and is answered', async () => {
    await using upstream = await Upstream.start(answering(ok('thanks'), 6));
    await using proxy = await TestProxy.start(upstream.url);
    using client = await Client.connect(proxy.port);
    await client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\nExpect: 100-continue\r\n\r\n');
    await client.until('100 Continue');
    await client.response();
    const closed = proxy.proxy.close();
    await client.send('abcdef');
    const { status, fields } = await client.response();
    expect([status, valueOf(fields, 'connection')]).toEqual([200, 'close']);
    client.halfClose();
    await closed;
    expect(upstream.connections[0]?.received.toString()).toMatch(/abcdef$/);
  });

  test('a connection that lingers is read to its end', async () => {
    await using upstream = await Upstream.start(answering(ok('x')));
    await using proxy = await TestProxy.start(upstream.url, { maxRequestBody: 10 });
    using client = await Client.connect(proxy.port);
    await client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n');
    expect((await client.response()).status).toBe(413);
    const closed = proxy.proxy.close();
    await client.send('x'.repeat(1_000_000));
    client.halfClose();
    expect(await client.end()).toBe('fin');
    await closed;
  });

  test('a client that is idle gets our FIN at once, and one that keeps its side open does not hold us up', async () => {
    await using upstream = await Upstream.start(answering(ok('x')));
    await using proxy = await TestProxy.start(upstream.url, {
      lingerTimeout: 50,
      shutdownTimeout: 3_600_000,
    });
    using client = await Client.connect(proxy.port);
    await client.send(GET);
    await client.response();
    const closed = proxy.proxy.close();
    expect(await client.end()).toBe('fin');
    await closed;
    expect(client.socket.writable).toBe(true);
  });

  test('no connection is accepted any more', async () => {
    const arrived = signal<void>();
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      arrived.resolve();
    });
    await using proxy = await TestProxy.start(upstream.url, DEADLINE);
    const { port } = proxy;
    using client = await Client.connect(port);
    await client.send(GET);
    await arrived.promise;
    const closed = proxy.proxy.close();
    const late = connect(port, '127.0.0.1');
    const [error]: unknown[] = await once(late, 'error');
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
    await closed;
  });
});

describe('at the deadline', () => {
  async function refused(client: Client): Promise<void> {
    const { status, fields, body } = await client.response();
    expect([status, valueOf(fields, 'connection')]).toEqual([503, 'close']);
    expect(valueOf(fields, 'retry-after')).toBeDefined();
    expect(JSON.parse(body.toString())).toMatchObject({ type: 'urn:lastbyte:error:shutting_down' });
    expect(body.toString()).toContain('--shutdown-timeout');
    client.halfClose();
    expect(await client.end()).toBe('fin');
  }

  const SHUT_DOWN = { outcome: 'refused', status: 503, error: 'shutting_down' };

  test('a request that waits for a response is refused with 503, which says why', async () => {
    const arrived = signal<void>();
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      arrived.resolve();
    });
    await using proxy = await TestProxy.start(upstream.url, DEADLINE);
    using client = await Client.connect(proxy.port);
    await client.send(GET);
    await arrived.promise;
    const closed = proxy.proxy.close();
    await refused(client);
    await closed;
    expect(proxy.records).toMatchObject([SHUT_DOWN]);
    await upstream.connections[0]?.peerEnd();
  });

  test.each([
    ['a request', GET, []],
    ['a request on an exempted path', GET, ['/']],
    ['an upgrade', UPGRADE, []],
  ])('so is %s that waits for an upstream that is not there', async (_name, request, stream) => {
    const gone = await Upstream.start(() => undefined);
    const { url } = gone;
    await gone[Symbol.asyncDispose]();
    await using proxy = await TestProxy.start(url, {
      ...DEADLINE,
      stream,
      waitForUpstream: 60_000,
      maxWaiting: 1,
    });
    using client = await Client.connect(proxy.port);
    await client.send(request);
    // The only place to wait in is taken: this one is turned away at once, and tells that the first one waits.
    using second = await Client.connect(proxy.port);
    await second.send(GET);
    await second.response();
    const closed = proxy.proxy.close();
    await refused(client);
    await closed;
    expect(proxy.records.at(-1)).toMatchObject(SHUT_DOWN);
  });

  test('so is an upload that is not through', async () => {
    await using upstream = await Upstream.start(answering(ok('x')));
    await using proxy = await TestProxy.start(upstream.url, DEADLINE);
    using client = await Client.connect(proxy.port);
    await client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n');
    await client.response();
    await client.send('abc');
    const closed = proxy.proxy.close();
    await refused(client);
    await closed;
    expect(proxy.records).toMatchObject([SHUT_DOWN]);
    expect(upstream.connections).toHaveLength(0);
  });

  test.each([
    ['that the upstream marks', '/', {}],
    ['that the user exempted', '/events/', { stream: ['/events/'] }],
  ])('a stream %s is broken off, never ended', async (_, path, options) => {
    await using upstream = await Upstream.start(answering(EVENTS));
    await using proxy = await TestProxy.start(upstream.url, { ...DEADLINE, ...options });
    using client = await Client.connect(proxy.port);
    await client.send(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await client.until('event\n');
    const closed = proxy.proxy.close();
    expect(await client.end()).toBe('reset');
    expect(client.left.toString()).not.toContain('\r\n0\r\n');
    await closed;
    expect(proxy.records).toMatchObject([{ outcome: 'cut', status: 200, error: 'shutting_down' }]);
    await upstream.connections[0]?.peerEnd();
  });

  test('a request on an exempted path that waits is refused with 503', async () => {
    const arrived = signal<void>();
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      arrived.resolve();
    });
    await using proxy = await TestProxy.start(upstream.url, { ...DEADLINE, stream: ['/'] });
    using client = await Client.connect(proxy.port);
    await client.send(GET);
    await arrived.promise;
    const closed = proxy.proxy.close();
    await refused(client);
    await closed;
    expect(proxy.records).toMatchObject([SHUT_DOWN]);
  });

  test('a WebSocket is broken off on both sides', async () => {
    await using upstream = await Upstream.start(answering(SWITCH));
    await using proxy = await TestProxy.start(upstream.url, DEADLINE);
    using client = await Client.connect(proxy.port);
    await client.send(UPGRADE);
    await client.until('\r\n\r\n');
    const closed = proxy.proxy.close();
    expect(await client.end()).toBe('reset');
    await closed;
    expect(await upstream.connections[0]?.peerEnd()).toBe('reset');
    expect(proxy.records).toMatchObject([{ outcome: 'cut', status: 101, error: 'shutting_down' }]);
  });

  test('an upgrade that waits for its response is refused with 503', async () => {
    const arrived = signal<void>();
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      arrived.resolve();
    });
    await using proxy = await TestProxy.start(upstream.url, DEADLINE);
    using client = await Client.connect(proxy.port);
    await client.send(UPGRADE);
    await arrived.promise;
    const closed = proxy.proxy.close();
    await refused(client);
    await closed;
    expect(proxy.records).toMatchObject([SHUT_DOWN]);
  });

  test('a response that its client does not read is broken off', async () => {
    await using upstream = await Upstream.start(answering(ok('x'.repeat(20_000_000))));
    await using proxy = await TestProxy.start(upstream.url, DEADLINE);
    using client = await Client.connect(proxy.port);
    await client.send(GET);
    await client.until('\r\n\r\n');
    client.socket.pause();
    await proxy.proxy.close();
    client.socket.resume();
    expect(await client.end()).toBe('reset');
    expect(proxy.records).toMatchObject([{ outcome: 'abandoned' }]);
  });
});

test('an end at once breaks everything off and leaves a record of each exchange', async () => {
  let arrivals = 0;
  const arrived = signal<void>();
  await using upstream = await Upstream.start(async (connection) => {
    const request = await connection.request();
    if (request?.target === '/ws') await connection.send(SWITCH);
    if (request?.target === '/events') await connection.send(EVENTS);
    if (++arrivals === 3) arrived.resolve();
  });
  await using proxy = await TestProxy.start(upstream.url, { shutdownTimeout: 3_600_000 });
  using waiting = await Client.connect(proxy.port);
  using streaming = await Client.connect(proxy.port);
  using socket = await Client.connect(proxy.port);
  await waiting.send(GET);
  await streaming.send('GET /events HTTP/1.1\r\nHost: x\r\n\r\n');
  await socket.send(UPGRADE);
  await arrived.promise;
  await Promise.all([streaming.until('event\n'), socket.until('\r\n\r\n')]);
  const closed = proxy.proxy.close();
  proxy.proxy.destroy();
  await closed;
  expect(await Promise.all([waiting.end(), streaming.end(), socket.end()])).toEqual([
    'reset',
    'reset',
    'reset',
  ]);
  expect(proxy.records).toHaveLength(3);
});

test.each([false, true])(
  'nothing happens after the end: every event was emitted by then (admin: %s)',
  async (admin) => {
    await using upstream = await Upstream.start(answering(ok('whole')));
    await using proxy = await TestProxy.start(upstream.url, { admin, ...(admin ? { adminPort: 0 } : {}) });
    const told: string[] = [];
    for (const name of ['begun', 'exchange', 'closed'] as const) proxy.proxy.on(name, () => told.push(name));
    using client = await Client.connect(proxy.port);
    await client.send(GET);
    await client.response();
    const closed = proxy.proxy.close();
    client.halfClose();
    await closed;
    expect(told).toEqual(['begun', 'exchange', 'closed']);
  },
);
