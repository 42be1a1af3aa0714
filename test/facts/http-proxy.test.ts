/** What http-proxy 1.18.1 does by itself: why it is only the chassis. */

import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { PassThrough } from 'node:stream';
import HttpProxy from 'http-proxy';
import { describe, expect, test } from 'vitest';
import { Bare, signal, turns } from '../harness/bare.ts';
import { Client, valueOf } from '../harness/client.ts';
import { Upstream, answering, ok } from '../harness/upstream.ts';
import { OneSocketAgent, connected } from './one-socket-agent.ts';

const GET = 'GET /a HTTP/1.1\r\nHost: x\r\n\r\n';

describe('http-proxy 1.18.1', () => {
  /** What it tells of its exchanges, in order. */
  function watched(options: HttpProxy.ServerOptions): { proxy: HttpProxy; events: string[] } {
    const proxy = HttpProxy.createProxyServer(options);
    const events: string[] = [];
    proxy.on('proxyReq', () => events.push('proxyReq'));
    proxy.on('proxyRes', () => events.push('proxyRes'));
    proxy.on('error', (error: NodeJS.ErrnoException) => events.push(`error ${error.code}`));
    proxy.on('econnreset', () => events.push('econnreset'));
    proxy.on('end', () => events.push('end'));
    return { proxy, events };
  }

  type Front = (request: IncomingMessage, response: ServerResponse) => void;

  const fronting = async (front: Front): Promise<Bare<Server>> => await Bare.start(createServer(front));

  const PART = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\npart';

  test('says nothing of a body that a FIN cut, and leaves the client hanging', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send(PART);
      connection.fin();
    });
    const { proxy, events } = watched({ target: upstream.url });
    const over = signal<ServerResponse>();
    proxy.on('proxyRes', (incoming, _request, response) =>
      incoming.on('close', () => over.resolve(response)),
    );
    await using front = await fronting((request, response) => proxy.web(request, response));
    using client = await Client.connect(front.port);
    await client.send(GET);
    const response = await over.promise;
    await turns();
    expect(events).toEqual(['proxyReq', 'proxyRes']);
    expect([response.writableEnded, response.destroyed, client.ended]).toEqual([false, false, null]);
  });

  test('tells of a reset in the middle of a body after proxyRes', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send(PART);
    });
    const { proxy, events } = watched({ target: upstream.url });
    const told = signal<void>();
    proxy.on('error', () => told.resolve());
    proxy.on('proxyRes', (incoming) => incoming.on('data', () => upstream.connections[0]?.reset()));
    await using front = await fronting((request, response) => proxy.web(request, response));
    using client = await Client.connect(front.port);
    await client.send(GET);
    await told.promise;
    expect(events).toEqual(['proxyReq', 'proxyRes', 'error ECONNRESET']);
  });

  test('does not notice a client that leaves when its request is read', async () => {
    await using upstream = await Upstream.start(async (connection) => void (await connection.request()));
    const { proxy, events } = watched({ target: upstream.url });
    const seen: string[] = [];
    const closed = signal<void>();
    await using front = await fronting((request, response) => {
      request.on('aborted', () => seen.push('request aborted'));
      response.on('close', () => seen.push('response close'));
      response.on('close', () => closed.resolve());
      proxy.web(request, response);
    });
    const client = await Client.connect(front.port);
    await client.send(GET);
    await upstream.connections[0]?.request();
    await turns();
    client.socket.destroy();
    await closed.promise;
    await turns();
    expect(seen).toEqual(['response close']);
    expect(events).toEqual(['proxyReq']);
    expect(upstream.connections[0]?.ended).toBe(null);
  });

  test('does not emit proxyReq for a request with Expect', async () => {
    await using upstream = await Upstream.start(answering(ok('ok'), 2));
    const { proxy, events } = watched({ target: upstream.url });
    await using front = await fronting((request, response) => proxy.web(request, response));
    using client = await Client.connect(front.port);
    await client.send('POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab');
    await client.until('200 OK');
    expect(events).toEqual(['proxyRes', 'end']);
  });

  test('leaves two listeners on each request', async () => {
    await using upstream = await Upstream.start(answering(ok('ok')));
    const { proxy } = watched({ target: upstream.url });
    const listeners = (request: IncomingMessage): number[] =>
      ['aborted', 'error'].map((name) => request.listenerCount(name));
    const counts: number[][] = [];
    await using front = await fronting((request, response) => {
      counts.push(listeners(request));
      proxy.once('end', () => counts.push(listeners(request)));
      proxy.web(request, response);
    });
    using client = await Client.connect(front.port);
    await client.send(GET);
    await client.response();
    await turns(2);
    expect(counts).toEqual([
      [0, 0],
      [1, 1],
    ]);
  });

  test.each(['DELETE', 'OPTIONS'])(
    'sends a chunked %s with Content-Length 0 and its body after it',
    async (method) => {
      await using upstream = await Upstream.start(answering(ok('ok'), 5));
      const { proxy } = watched({ target: upstream.url });
      await using front = await fronting((request, response) => proxy.web(request, response));
      using client = await Client.connect(front.port);
      await client.send(
        `${method} / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
      );
      await client.response();
      const fields = upstream.requests[0]?.fields ?? [];
      expect([valueOf(fields, 'content-length'), valueOf(fields, 'transfer-encoding')]).toEqual([
        '0',
        undefined,
      ]);
      expect(upstream.connections[0]?.received.toString().split('\r\n\r\n')[1]).toBe('hello');
    },
  );

  test('sends the stream `buffer` as the body; flushHeaders() sends the head before it', async () => {
    await using upstream = await Upstream.start(answering(ok('ok'), 4));
    const { proxy } = watched({ target: upstream.url });
    const held = new PassThrough();
    proxy.on('proxyReq', (request) => request.flushHeaders());
    await using front = await fronting((request, response) => proxy.web(request, response, { buffer: held }));
    using client = await Client.connect(front.port);
    await client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nsent');
    while (upstream.requests.length === 0) await turns(1);
    await turns();
    expect(upstream.connections[0]?.received.toString().endsWith('\r\n\r\n')).toBe(true);
    held.end('held');
    await client.response();
    expect(upstream.connections[0]?.received.toString().split('\r\n\r\n')[1]).toBe('held');
  });

  test.each([
    ['joins double slashes in the path', null, '/a/b?c=//d'],
    ["sends what the agent's addRequest sets", '/a//b?c=//d', '/a//b?c=//d'],
  ])('%s', async (_name, path, expected) => {
    await using upstream = await Upstream.start(answering(ok('ok')));
    const { proxy } = watched({ target: upstream.url });
    const agent = new OneSocketAgent(await connected(upstream.port), path);
    await using front = await fronting((request, response) => proxy.web(request, response, { agent }));
    using client = await Client.connect(front.port);
    await client.send('GET /a//b?c=//d HTTP/1.1\r\nHost: x\r\n\r\n');
    await client.response();
    expect(upstream.requests[0]?.target).toBe(expected);
  });

  /** A front that passes every upgrade on. */
  async function upgrading(upstream: Upstream): Promise<Bare<Server>> {
    const { proxy } = watched({ target: upstream.url });
    const server = createServer();
    server.on('upgrade', (request, socket, head) => proxy.ws(request, socket, head));
    return await Bare.start(server);
  }

  const upgradeTo = (protocol: string): string =>
    `GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`;

  test('writes a chunked response to an upgrade under its framing, but without the chunks', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send('HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n');
    });
    await using front = await upgrading(upstream);
    using client = await Client.connect(front.port);
    await client.send(upgradeTo('websocket'));
    await client.end();
    expect(client.left.toString()).toBe('HTTP/1.1 403 No\r\ntransfer-encoding: chunked\r\n\r\nno');
  });

  test('closes on any upgrade that is not to websocket, without asking the upstream', async () => {
    await using upstream = await Upstream.start(() => undefined);
    await using front = await upgrading(upstream);
    using client = await Client.connect(front.port);
    await client.send(upgradeTo('tls/1.0'));
    await client.end();
    expect(client.left.toString()).toBe('');
    expect(upstream.connections.length).toBe(0);
  });
});
