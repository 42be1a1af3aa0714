/** What src/http-proxy takes for granted of http-proxy, held against bare http-proxy. */

import { once } from 'node:events';
import { Agent, createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import HttpProxy from 'http-proxy';
import { afterEach, describe, expect, test } from 'vitest';
import { loadHttpProxy } from '../../src/http-proxy/passes.ts';
import { Client } from '../harness/client.ts';
import { Upstream, answering, ok } from '../harness/upstream.ts';
import type { Script } from '../harness/upstream.ts';

const GET = 'GET /a HTTP/1.1\r\nHost: x\r\n\r\n';
const UPGRADE = 'GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const SWITCHED =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-oDD: 1\r\n\r\n';

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

async function listening(server: Server): Promise<number> {
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  const address = server.address();
  return address === null || typeof address === 'string' ? 0 : address.port;
}

/** Gives every request one connected socket, as the chassis does. */
class OneSocketAgent extends Agent {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    super({ keepAlive: false });
    this.#socket = socket;
  }

  override createConnection(): Socket {
    return this.#socket;
  }
}

/** A front whose upgrades go through `proxy`, over a socket that is half-open or not. */
async function upgrading(proxy: HttpProxy, upstream: Upstream, allowHalfOpen: boolean): Promise<number> {
  const front = createServer();
  front.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const upstreamSocket = connect({ port: upstream.port, host: '127.0.0.1', allowHalfOpen });
    upstreamSocket.on('connect', () => {
      proxy.ws(request, socket, head, { target: upstream.url, agent: new OneSocketAgent(upstreamSocket) });
    });
  });
  return await listening(front);
}

/** Switches and closes its side at once, then waits for four bytes. */
function closesFirst(got: (bytes: string | null) => void): Script {
  return async (connection) => {
    await connection.request();
    await connection.send(SWITCHED);
    connection.fin();
    got((await connection.body(4))?.toString() ?? null);
  };
}

describe('the ws pass', () => {
  test.each([
    [true, 'last'],
    [false, null],
  ])(
    'over a socket with allowHalfOpen %s: what comes after the upstream FIN is %s',
    async (allow, expected) => {
      let told: (bytes: string | null) => void = () => undefined;
      const got = new Promise<string | null>((resolve) => {
        told = resolve;
      });
      await using upstream = await Upstream.start(closesFirst((bytes) => told(bytes)));
      const port = await upgrading(HttpProxy.createProxyServer({}), upstream, allow);
      using client = await Client.connect(port);
      await client.send(UPGRADE);
      expect(await client.end()).toBe('fin');
      if (!allow) await upstream.connections[0]?.peerEnd();
      await client.send('last');
      client.halfClose();
      expect(await got).toBe(expected);
    },
  );

  test('writes response.headers, which a listener from proxyReqWs may have replaced before', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send(SWITCHED);
    });
    const proxy = HttpProxy.createProxyServer({});
    proxy.on('proxyReqWs', (request) => {
      request.on('upgrade', (response) => {
        response.headers = { 'X-Replaced': 'Yes', 'Set-Cookie': ['a', 'b'] };
      });
    });
    using client = await Client.connect(await upgrading(proxy, upstream, true));
    await client.send(UPGRADE);
    await client.until('\r\n\r\n');
    expect(client.left.toString()).toBe(
      'HTTP/1.1 101 Switching Protocols\r\nX-Replaced: Yes\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\n',
    );
  });

  test('listens for response and error when proxyReqWs is over, and a microtask can take that away', async () => {
    await using upstream = await Upstream.start(answering('HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno'));
    const proxy = HttpProxy.createProxyServer({});
    const status = new Promise<number | undefined>((resolve) => {
      proxy.on('proxyReqWs', (request) => {
        const during = [request.listenerCount('response'), request.listenerCount('error')];
        queueMicrotask(() => {
          expect([...during, request.listenerCount('response'), request.listenerCount('error')]).toEqual([
            0, 0, 1, 1,
          ]);
          request.removeAllListeners('response').on('response', (response) => resolve(response.statusCode));
        });
      });
    });
    using client = await Client.connect(await upgrading(proxy, upstream, true));
    await client.send(UPGRADE);
    expect(await status).toBe(403);
    expect(client.left.length, 'bytes that http-proxy wrote').toBe(0);
  });

  test('closes the side of a client whose upstream fails, without a response', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      connection.reset();
    });
    const proxy = HttpProxy.createProxyServer({});
    const failed = new Promise<unknown>((resolve) => proxy.on('error', resolve));
    using client = await Client.connect(await upgrading(proxy, upstream, true));
    await client.send(UPGRADE);
    expect(await client.end()).toBe('fin');
    expect(await failed).toMatchObject({ code: 'ECONNRESET' });
    expect(client.left.length).toBe(0);
  });
});

describe('the web passes', () => {
  type Pass = (request: IncomingMessage, response: ServerResponse) => boolean;
  type Hooked = HttpProxy & { before(type: 'web', name: string, pass: Pass): void };

  function isHooked(proxy: HttpProxy): proxy is Hooked {
    return 'before' in proxy && typeof proxy.before === 'function';
  }

  test('a pass before stream that returns true ends the chain, and stream never asks the upstream', async () => {
    await using upstream = await Upstream.start(answering(ok('upstream')));
    const proxy = HttpProxy.createProxyServer({ target: upstream.url });
    if (!isHooked(proxy)) throw new Error('http-proxy has no before()');
    proxy.before('web', 'stream', (request, response) => {
      if (request.url !== '/a') return false;
      response.end('ours');
      return true;
    });
    const front = createServer((request, response) => proxy.web(request, response));
    front.keepAliveTimeout = 0;
    using client = await Client.connect(await listening(front));
    await client.send(GET);
    expect((await client.response()).body.toString()).toBe('ours');
    expect(upstream.connections.length).toBe(0);
    await client.send(GET.replace('/a', '/b'));
    expect((await client.response()).body.toString()).toBe('upstream');
  });

  /** util._extend copies from the last key to the first; Object.assign in its place does not. */
  test.each([
    [
      'turned round by bare http-proxy',
      HttpProxy,
      ['x-Twice', 'a', 'x-Twice', 'b', 'X-oDD', '1', 'HOST', 'y'],
    ],
    [
      'in their order by the one that the chassis loads, whoever has loaded it before',
      loadHttpProxy(),
      ['HOST', 'y', 'X-oDD', '1', 'x-Twice', 'a', 'x-Twice', 'b'],
    ],
  ])('the upstream gets request.headers as they were replaced, %s', async (_name, loaded, expected) => {
    await using upstream = await Upstream.start(answering(ok('')));
    const proxy = loaded.createProxyServer({ target: upstream.url, agent: new Agent() });
    const front = createServer((request, response) => {
      request.headers = { HOST: 'y', 'X-oDD': '1', 'x-Twice': ['a', 'b'] };
      proxy.web(request, response);
    });
    using client = await Client.connect(await listening(front));
    await client.send(GET);
    await client.response();
    expect(upstream.requests[0]?.fields.slice(0, 8)).toEqual(expected);
  });

  test('with toProxy and without prependPath the request target is not parsed, only its slashes are joined', async () => {
    await using upstream = await Upstream.start(answering(ok('')));
    const options = { target: upstream.url, agent: new Agent(), toProxy: true, prependPath: false };
    const proxy = HttpProxy.createProxyServer(options);
    const front = createServer((request, response) => proxy.web(request, response));
    using client = await Client.connect(await listening(front));
    await client.send(GET.replace('/a', '/a//b/../c%2f?d=//{"e"}|f'));
    await client.response();
    expect(upstream.requests[0]?.target).toBe('/a/b/../c%2f?d=//{"e"}|f');
  });
});
