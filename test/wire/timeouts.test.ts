/** Each clock for itself: what it ends, what it lets be, and that what it ended is freed. */

import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { Client } from '../harness/client.ts';
import { TestProxy } from '../harness/proxy.ts';
import { Upstream, answering, ok } from '../harness/upstream.ts';
import { need, whyNotLinux } from '../harness/need.ts';

const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** A listener that never accepts, with its queue full: the kernel drops what would connect to it. */
class FullBacklog implements AsyncDisposable {
  readonly #sockets: Socket[] = [];
  readonly #worker = new Worker(
    `const server = require('node:net').createServer();
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      require('node:worker_threads').parentPort.postMessage(server.address().port);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`,
    { eval: true },
  );
  port = 0;

  static async start(): Promise<FullBacklog> {
    const full = new FullBacklog();
    const [port]: number[] = await once(full.#worker, 'message');
    full.port = port ?? 0;
    // The kernel takes one more than the backlog.
    for (let index = 0; index < 2; index += 1) {
      const socket = connect({ port: full.port, host: '127.0.0.1' });
      socket.on('error', () => undefined);
      full.#sockets.push(socket);
      await once(socket, 'connect');
    }
    return full;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await this.#worker.terminate();
  }
}

describe('--connect-timeout', () => {
  test.for([
    ['a GET', GET],
    ['a POST', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc'],
    ['an exempted path', 'GET /exempt/ HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['an upgrade', 'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n'],
  ] as const)('gives an upstream up that does not accept: %s', async ([, request], context) => {
    // Only Linux is known to drop what a full queue cannot take.
    need(context, whyNotLinux());
    await using upstream = await FullBacklog.start();
    const options = { connectTimeout: 100, stream: ['/exempt/'], lingerTimeout: 20 };
    await using proxy = await TestProxy.start(`http://127.0.0.1:${upstream.port}`, options);
    using client = await Client.connect(proxy.port);
    await client.send(request);
    const response = await client.response();
    expect(response.status).toBe(504);
    expect(response.body.toString()).toContain('did not accept a connection within 100 ms');
    expect((await proxy.record()).error).toBe('connect_timeout');
  });
});

describe('--body-idle-timeout', () => {
  test('lets a response be that drips for longer than it', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n');
      for (let index = 0; index < 30; index += 1) {
        await connection.send('x');
        await pause(20);
      }
    });
    await using proxy = await TestProxy.start(upstream.url, { bodyIdleTimeout: 300 });
    using client = await Client.connect(proxy.port);
    await client.send(GET);
    expect((await client.response()).body.toString()).toBe('x'.repeat(30));
    expect((await proxy.record()).durationMs).toBeGreaterThan(300);
  });
});

describe('--client-send-timeout', () => {
  const CROWD = 500;

  async function crowd(port: number, request: string): Promise<Client[]> {
    const clients: Client[] = [];
    for (let index = 0; index < CROWD; index += 1) {
      const client = await Client.connect(port);
      clients.push(client);
      await client.send(request);
    }
    return clients;
  }

  /** A byte of each every so often, until its connection is over. */
  async function drip(clients: readonly Client[], byte: string): Promise<void> {
    for (let left = clients; left.length > 0; left = left.filter(({ ended }) => ended === null)) {
      for (const client of left) client.socket.write(byte);
      await pause(50);
    }
  }

  test('ends 500 clients that drip their head and 500 that stop in their body, and a good one is served', async () => {
    await using upstream = await Upstream.start(answering(ok('good')));
    await using proxy = await TestProxy.start(upstream.url, {
      clientSendTimeout: 1000,
      lingerTimeout: 50,
      lingerTotal: 200,
      // A body that is announced large must not take the room of others before it is there.
      memoryTotal: '32mb',
      diskTotal: '8mb',
    });
    const heads = await crowd(proxy.port, 'GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    const dripping = drip(heads, 'a');
    const bodies = await crowd(proxy.port, 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\n\r\nabc');
    using good = await Client.connect(proxy.port);
    for (let index = 0; index < 20; index += 1) {
      await good.send(GET);
      expect((await good.response()).body.toString()).toBe('good');
    }
    for (const client of bodies) {
      expect((await client.response()).status).toBe(408);
      await client.end();
    }
    await dripping;
    for (const client of heads) expect(client.left.toString('latin1', 0, 12)).toBe('HTTP/1.1 408');
    const refused = proxy.records.filter(({ error }) => error === 'request_timeout');
    expect(refused.length).toBe(2 * CROWD);
    await good.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 7000000\r\n\r\n');
    await good.send(Buffer.alloc(7_000_000));
    expect((await good.response()).body.toString(), 'there is room again').toBe('good');
  });

  test('lets a body be that drips for longer than it', async () => {
    await using upstream = await Upstream.start(answering(ok('good'), 30));
    await using proxy = await TestProxy.start(upstream.url, { clientSendTimeout: 300, bodyHold: 1 });
    using client = await Client.connect(proxy.port);
    await client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 30\r\n\r\n');
    for (let index = 0; index < 30; index += 1) {
      await client.send('x');
      await pause(20);
    }
    expect((await client.response()).body.toString()).toBe('good');
    expect((await proxy.record()).durationMs).toBeGreaterThan(300);
  });

  test.each([
    ['sooner', 100, 2000],
    ['later', 400, 100],
  ])(
    'ends an upload to an exempted path that stops, with 408, and %s than --first-byte-timeout would',
    async (_when, clientSendTimeout, firstByteTimeout) => {
      await using upstream = await Upstream.start(async (connection) => {
        await connection.request();
      });
      const times = { clientSendTimeout, firstByteTimeout, lingerTimeout: 20 };
      await using proxy = await TestProxy.start(upstream.url, { stream: ['/exempt/'], ...times });
      using client = await Client.connect(proxy.port);
      await client.send('POST /exempt/ HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc');
      expect((await client.response()).status).toBe(408);
      expect(await client.end()).toBe('fin');
      expect(await upstream.connections[0]?.peerEnd()).toBeDefined();
      expect((await proxy.record()).sentence).toContain('--client-send-timeout');
    },
  );

  test('does not blame a client for an exempted upload that the upstream does not read', async () => {
    await using upstream = await Upstream.start((connection) => void connection.socket.pause());
    const times = { clientSendTimeout: 100, firstByteTimeout: 500, lingerTimeout: 20 };
    await using proxy = await TestProxy.start(upstream.url, { stream: ['/exempt/'], ...times });
    using client = await Client.connect(proxy.port);
    const bytes = 50_000_000;
    await client.send(`POST /exempt/ HTTP/1.1\r\nHost: x\r\nContent-Length: ${bytes}\r\n\r\n`);
    client.socket.write(Buffer.alloc(bytes));
    expect((await client.response()).status).toBe(504);
  });

  test('lets the upload of an exempted path be whose response has begun', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfirst');
      await connection.body(10);
      await connection.send('last');
    });
    const times = { clientSendTimeout: 100, firstByteTimeout: 100 };
    await using proxy = await TestProxy.start(upstream.url, { stream: ['/exempt/'], ...times });
    using client = await Client.connect(proxy.port);
    await client.send('POST /exempt/ HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc');
    await client.until('first');
    await pause(300);
    await client.send('defghij');
    expect((await client.response()).body.toString()).toBe('firstlast');
  });
});
