/** lastbyte inside the servers of others: what a client and an upstream see, and what the server keeps of its sockets. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { createServer as createHttp2Server, connect as connectHttp2 } from 'node:http2';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { createMiddleware } from '../../src/middleware.ts';
import type { Middleware } from '../../src/middleware.ts';
import { Bare, signal } from '../harness/bare.ts';
import { Client, valueOf } from '../harness/client.ts';
import { FRAMEWORKS, SERVERS } from '../harness/foreign.ts';
import { TestMiddleware } from '../harness/middleware.ts';
import { freePort } from '../harness/ports.ts';
import { runClient } from '../harness/process.ts';
import { answering, ok, Upstream } from '../harness/upstream.ts';
import { SilentUpstream } from '../harness/silent-upstream.ts';

const JITI = fileURLToPath(new URL('../../node_modules/.bin/jiti', import.meta.url));
const CLOSING = fileURLToPath(new URL('../harness/closing-middleware.ts', import.meta.url));
const GET = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n';
const alone = ({ middleware }: Middleware): Server => createServer(middleware);
/** With upgrades, as the docs say to put them in. */
const upgrading = ({ middleware, upgrade }: Middleware): Server =>
  createServer(middleware).on('upgrade', upgrade);

describe.each(SERVERS)('in %s', (_name, serve) => {
  test('a chunked body goes on whole with its length, and the response comes whole with its length', async () => {
    await using upstream = await Upstream.start(answering(ok('a response'), 11));
    await using front = await TestMiddleware.start({ target: upstream.url }, ({ middleware }) =>
      serve(middleware),
    );
    using client = await Client.connect(front.port);
    await client.send('POST /a?b=c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n');
    await client.send('6\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n');
    expect(await client.response()).toMatchObject({ status: 200, body: Buffer.from('a response') });
    expect(upstream.requests).toMatchObject([{ method: 'POST', target: '/a?b=c' }]);
    expect(valueOf(upstream.requests[0]?.fields ?? [], 'content-length')).toBe('11');
    expect(upstream.connections[0]?.received.toString().endsWith('\r\n\r\nhello world')).toBe(true);
    expect(await front.record()).toMatchObject({ outcome: 'delivered', requestBodyBytes: 11 });
  });

  test('a response that is cut is asked for again, on a connection that is used for the next request', async () => {
    await using upstream = await Upstream.start(async (connection, index) => {
      await connection.request();
      await connection.send(index === 0 ? ok('0123456789').slice(0, -5) : ok('0123456789'));
      connection.fin();
    });
    await using front = await TestMiddleware.start({ target: upstream.url }, ({ middleware }) =>
      serve(middleware),
    );
    using client = await Client.connect(front.port);
    for (let asked = 0; asked < 2; asked += 1) {
      await client.send(GET);
      const { status, body, fields } = await client.response();
      expect([status, body.toString()]).toEqual([200, '0123456789']);
      // What Node's own server says of itself.
      expect([valueOf(fields, 'connection'), valueOf(fields, 'keep-alive')]).toEqual([
        'keep-alive',
        `timeout=${front.bare.server.keepAliveTimeout / 1000}`,
      ]);
    }
  });

  test('an upstream that never comes is told of, to a browser by a page', async () => {
    const target = `http://127.0.0.1:${await freePort()}`;
    await using front = await TestMiddleware.start({ target }, ({ middleware }) => serve(middleware));
    const answer = await fetch(front.url, { headers: { accept: 'text/html' } });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([503, 'text/html; charset=utf-8']);
    expect(await answer.text()).toContain(target);
  });

  test('a client that leaves ends what is under way for it', async () => {
    await using upstream = await SilentUpstream.start();
    await using front = await TestMiddleware.start({ target: upstream.url }, ({ middleware }) =>
      serve(middleware),
    );
    await upstream.askAndLeave(front.port, GET);
    expect(await front.record()).toMatchObject({ outcome: 'abandoned', status: 0 });
  });
});

describe.each(FRAMEWORKS)('in $name', ({ serve, serveParsed }) => {
  test('mounted at a path, the upstream gets what is left of it, and the record has all', async () => {
    await using upstream = await Upstream.start(answering(ok('x')));
    await using front = await TestMiddleware.start({ target: upstream.url }, ({ middleware }) =>
      serve(['/api', middleware]),
    );
    await fetch(`${front.url}/api/users?a=1`);
    expect(upstream.requests).toMatchObject([{ target: '/users?a=1' }]);
    expect(await front.record()).toMatchObject({ url: '/api/users?a=1' });
  });

  test('what is for none of its paths goes to the next', async () => {
    await using upstream = await Upstream.start(answering(ok('upstream')));
    const options = { target: upstream.url, paths: ['/api', '^/v\\d+/'] };
    await using front = await TestMiddleware.start(options, ({ middleware }) =>
      serve(middleware, (_request, response) => response.end('next')),
    );
    const texts = ['/api/a', '/v2/a', '/v/a', '/'].map(
      async (path) => await (await fetch(front.url + path)).text(),
    );
    expect(await Promise.all(texts)).toEqual(['upstream', 'upstream', 'next', 'next']);
  });

  test('fields that others set before are kept, unless the upstream sends the same', async () => {
    await using upstream = await Upstream.start(answering(ok('x', 'X-Frame-Options: DENY\r\nX-B: \xe9\r\n')));
    await using front = await TestMiddleware.start({ target: upstream.url }, ({ middleware }) =>
      serve((_request, response, next) => {
        response.setHeader('X-Frame-Options', 'SAMEORIGIN').setHeader('Access-Control-Allow-Origin', '*');
        next();
      }, middleware),
    );
    using client = await Client.connect(front.port);
    await client.send(GET);
    const { fields } = await client.response();
    expect(
      ['x-frame-options', 'access-control-allow-origin', 'x-b'].map((name) => valueOf(fields, name)),
    ).toEqual(['DENY', '*', '\xe9']);
  });

  if (serveParsed === null) return;

  test('after a body parser it says so, and asks nobody', async () => {
    await using upstream = await Upstream.start(answering(ok('x')));
    await using front = await TestMiddleware.start({ target: upstream.url }, ({ middleware }) =>
      serveParsed(middleware),
    );
    const answer = await fetch(front.url, {
      method: 'POST',
      body: '{"a":1}',
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.status).toBe(500);
    expect(await answer.json()).toMatchObject({
      type: 'urn:lastbyte:error:request_body_consumed',
      detail: expect.stringMatching(/Put lastbyte before any body parser, such as express\.json\(\)/),
    });
    // Where there is no body, nothing is lost.
    expect((await fetch(front.url)).status).toBe(200);
    expect(upstream.requests).toHaveLength(1);
  });
});

test('a request that is rewritten goes on with another path and other fields', async () => {
  await using upstream = await Upstream.start(answering(ok('x')));
  const options = {
    target: upstream.url,
    rewrite: (path: string) => path.replace(/^\/api/, ''),
    headers: { 'x-a': 'ours', Authorization: 'Bearer t' },
  };
  await using front = await TestMiddleware.start(options, alone);
  await fetch(`${front.url}/api/users?q=%20`, { headers: { 'X-A': 'theirs' } });
  const [{ target, fields } = { target: '', fields: [] }] = upstream.requests;
  expect([target, valueOf(fields, 'x-a'), valueOf(fields, 'authorization')]).toEqual([
    '/users?q=%20',
    'ours',
    'Bearer t',
  ]);
});

test.each([
  ['throws', () => JSON.parse('{'), 'The rewrite function failed'],
  [
    'makes no path',
    (path: string) => path.slice(1),
    'The rewrite function returned text that cannot be sent as a path',
  ],
  [
    'splits the request',
    () => '/ HTTP/1.1\r\nX: y',
    'The rewrite function returned text that cannot be sent as a path',
  ],
])('a rewrite that %s is one exchange lost', async (_, rewrite, sentence) => {
  await using upstream = await Upstream.start(answering(ok('x')));
  await using front = await TestMiddleware.start({ target: upstream.url, rewrite }, alone);
  const answer = await fetch(`${front.url}/a`);
  expect([answer.status, await answer.text()]).toEqual([500, expect.stringContaining(sentence)]);
  expect(upstream.requests).toEqual([]);
});

describe('the socket of the other server', () => {
  // Answered at once, as the last response of its connection, and sent while the body after it is parsed.
  const TRACE = 'TRACE / HTTP/1.1\r\nHost: h\r\nMax-Forwards: 0\r\n\r\n';
  const POST = 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello';
  const EXPECTING = 'POST / HTTP/1.1\r\nHost: h\r\nExpect: x\r\nContent-Length: 2\r\n\r\nhi';
  const OFFER = 'GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
  const CHUNKED = 'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n';

  test.each([
    ['a request', `${POST}HEAD / HTTP/1.1\r\nHost: h\r\n\r\n`],
    ['a request that the server answers', `${POST}GET /own HTTP/1.1\r\nHost: h\r\n\r\n`],
    ['a request that Node answers', EXPECTING + EXPECTING],
    ['an upgrade', POST + OFFER],
    ['a body that fills its stream', `${CHUNKED}1\r\nx\r\n9c40\r\n${'x'.repeat(40_000)}`],
  ])('has one last response, although %s follows in its packet', async (_name, rest) => {
    await using upstream = await Upstream.start(answering(ok('whole')));
    const options = { target: upstream.url, lingerTimeout: 60_000, lingerTotal: 60_000 };
    await using front = await TestMiddleware.start(options, ({ middleware, upgrade }) =>
      createServer((request, response) => {
        if (request.url === '/own') response.end('own');
        else middleware(request, response);
      })
        .on('upgrade', upgrade)
        // Node would write a 400 at the end of an unfinished body.
        .on('clientError', () => undefined),
    );
    using client = await Client.connect(front.port);
    await client.send(TRACE + rest);
    expect((await client.response()).status).toBe(405);
    client.halfClose();
    expect([await client.end(), client.left.toString()]).toEqual(['fin', '']);
    expect(upstream.requests).toEqual([]);
  });

  test('is not given to an upgrade that comes after the last response', async () => {
    await using upstream = await Upstream.start(answering(ok('whole')));
    await using front = await TestMiddleware.start({ target: upstream.url }, ({ middleware, upgrade }) =>
      createServer(middleware).on('upgrade', (...upgraded) => setImmediate(upgrade, ...upgraded)),
    );
    using client = await Client.connect(front.port);
    await client.send(TRACE + OFFER);
    expect((await client.response()).status).toBe(405);
    client.halfClose();
    expect([await client.end(), client.left.toString()]).toEqual(['fin', '']);
    expect(upstream.requests).toEqual([]);
  });

  test('carries pipelined requests in their order, also those that others answer', async () => {
    await using upstream = await Upstream.start(async (connection, index) => {
      await connection.request();
      if (index === 0) await sleep(50);
      await connection.send(ok(`upstream ${index}`));
      connection.fin();
    });
    const options = { target: upstream.url, paths: '/api' };
    await using front = await TestMiddleware.start(options, ({ middleware }) =>
      createServer((request, response) =>
        middleware(request, response, () => void setTimeout(() => response.end('other'), 20)),
      ),
    );
    using client = await Client.connect(front.port);
    const paths = ['/api', '/', '/api', '/'];
    await client.send(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`).join(''));
    expect((await client.response()).body.toString()).toBe('upstream 0');
    await client.until('other');
    const rest = client.left.toString();
    expect(rest.indexOf('other')).toBeGreaterThan(0);
    const second = await client.until('upstream 1');
    expect(second).toBeGreaterThan(rest.indexOf('other'));
  });

  test('has the clock of that server again after an exchange', async () => {
    await using upstream = await Upstream.start(answering(ok('x'), 1));
    const sockets: Socket[] = [];
    await using front = await TestMiddleware.start({ target: upstream.url }, (lastbyte) => {
      const server = alone(lastbyte).on('connection', (socket: Socket) => sockets.push(socket));
      server.keepAliveTimeout = 0;
      server.timeout = 123_000;
      return server;
    });
    using client = await Client.connect(front.port);
    await client.send('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx');
    await client.response();
    await front.record();
    expect(sockets.map(({ timeout }) => timeout)).toEqual([123_000]);
    expect(sockets.map((socket) => Object.hasOwn(socket, 'destroySoon'))).toEqual([false]);
    expect(sockets.map((socket) => socket.listenerCount('timeout'))).toEqual([1]);
  });

  test('is not ended by the clock of that server while the upstream is at work', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await sleep(300);
      await connection.send(ok('late'));
    });
    await using front = await TestMiddleware.start({ target: upstream.url }, (lastbyte) => {
      const server = alone(lastbyte);
      server.timeout = 50;
      return server;
    });
    expect(await (await fetch(front.url)).text()).toBe('late');
  });

  test('is answered with 408 when no body comes', async () => {
    await using upstream = await Upstream.start(answering(ok('x')));
    await using front = await TestMiddleware.start({ target: upstream.url, clientSendTimeout: 100 }, alone);
    using client = await Client.connect(front.port);
    await client.send('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nx');
    const { status, fields } = await client.response();
    expect([status, valueOf(fields, 'connection')]).toEqual([408, 'close']);
    client.halfClose();
    expect(await client.end()).toBe('fin');
  });

  test('lingers after a refusal of a body that still comes', async () => {
    await using upstream = await Upstream.start(answering(ok('x')));
    await using front = await TestMiddleware.start({ target: upstream.url, maxRequestBody: '1kb' }, alone);
    using client = await Client.connect(front.port);
    await client.send('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 8000000\r\n\r\n');
    const { status, fields } = await client.response();
    expect([status, valueOf(fields, 'connection')]).toEqual([413, 'close']);
    await client.send(Buffer.alloc(8_000_000));
    client.halfClose();
    expect(await client.end()).toBe('fin');
  });
});

describe('an upgrade', () => {
  test('of a path of our own is joined with the upstream, and any other is left alone', async () => {
    await using echo = await Bare.start(createServer());
    new WebSocketServer({ server: echo.server }).on('connection', (socket) =>
      socket.on('message', (message: Buffer) => socket.send(`echo ${message.toString()}`)),
    );
    const options = { target: echo.url, paths: '/ws' };
    await using front = await TestMiddleware.start(options, ({ middleware, upgrade }) => {
      const hmr = new WebSocketServer({ noServer: true });
      return createServer(middleware).on('upgrade', (request, socket, head) => {
        if (!upgrade(request, socket, head))
          hmr.handleUpgrade(request, socket, head, (client) => client.send('theirs'));
      });
    });
    const ours = new WebSocket(`ws://127.0.0.1:${front.port}/ws`);
    await once(ours, 'open');
    ours.send('hello');
    expect(String((await once(ours, 'message'))[0])).toBe('echo hello');
    const theirs = new WebSocket(`ws://127.0.0.1:${front.port}/hmr`);
    expect(String((await once(theirs, 'message'))[0])).toBe('theirs');
    for (const socket of [ours, theirs]) {
      socket.close();
      await once(socket, 'close');
    }
    expect(await front.record()).toMatchObject({ outcome: 'upgraded', status: 101 });
  });

  test('that the upstream refuses is answered with what it said', async () => {
    await using upstream = await Upstream.start(answering(ok('no sockets here')));
    await using front = await TestMiddleware.start({ target: upstream.url }, upgrading);
    using client = await Client.connect(front.port);
    await client.send('GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    expect(await client.response()).toMatchObject({ status: 200, body: Buffer.from('no sockets here') });
    client.halfClose();
    expect(await client.end()).toBe('fin');
  });

  test('to HTTP/2 is ignored, and its request answered', async () => {
    await using upstream = await Upstream.start(answering(ok('x')));
    await using front = await TestMiddleware.start({ target: upstream.url }, upgrading);
    using client = await Client.connect(front.port);
    const offer = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n';
    await client.send(`GET /a HTTP/1.1\r\nHost: h\r\n${offer}\r\n`);
    expect(await client.response()).toMatchObject({ status: 200, body: Buffer.from('x') });
  });

  test('whose client leaves ends both connections', async () => {
    const ended = signal<void>();
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
      await connection.peerEnd();
      ended.resolve();
    });
    await using front = await TestMiddleware.start({ target: upstream.url }, upgrading);
    using client = await Client.connect(front.port);
    await client.send('GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
    await client.until('\r\n\r\n');
    client.socket.resetAndDestroy();
    await ended.promise;
    expect(await front.record()).toMatchObject({ outcome: 'upgraded' });
  });
});

describe('close', () => {
  test('refuses what waits, and answers no more', async () => {
    const asked = signal<void>();
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      asked.resolve();
    });
    const options = { target: upstream.url, shutdownTimeout: 200 };
    await using front = await TestMiddleware.start(options, alone);
    using client = await Client.connect(front.port);
    await client.send(GET);
    await asked.promise;
    const closing = front.lastbyte.close();
    expect((await client.response()).status).toBe(503);
    client.halfClose();
    await closing;
    // The server itself goes on, and lastbyte in it says that it does not.
    const answer = await fetch(front.url);
    const detail = expect.stringContaining('lastbyte was closed');
    expect([answer.status, await answer.json()]).toMatchObject([503, { detail }]);
  });

  test('leaves nothing that would keep the process', async () => {
    const { code, stdout, stderr } = await runClient(JITI, [CLOSING]);
    expect({ code, stdout: stdout.toString(), stderr }).toEqual({
      code: 0,
      stdout: '200 503, 0 files\n',
      stderr: '',
    });
  });
});

test('a request of HTTP/2 is left to the server, with an error that says why', async () => {
  const { middleware, close } = createMiddleware({ target: 'http://127.0.0.1:9' });
  const told = signal<unknown>();
  await using server = await Bare.start(
    createHttp2Server((request, response) => {
      Reflect.apply(middleware, null, [request, response, told.resolve]);
      response.end();
    }),
  );
  const session = connectHttp2(server.url);
  session.request({ ':path': '/' }).resume().end();
  expect(String(await told.promise)).toContain('HTTP/2');
  session.destroy();
  await close();
});

test('what is wrong with the options is said at once, and all of it', () => {
  const options = {
    target: 'ftp://x',
    port: 80,
    paths: ['api', '^('],
    headers: { Host: 'x', 'a b': 'c' },
    rewrite: '/x',
  };
  const message = (() => {
    try {
      Reflect.apply(createMiddleware, null, [options]);
      return '';
    } catch (error) {
      return String(error);
    }
  })();
  expect(message).toContain('options.port: is for the server that lastbyte is part of.');
  expect(message).toContain('options.target: "ftp://x" has the scheme ftp.');
  expect(message).toContain(
    'options.paths: "api" is neither the beginning of a path nor a regular expression.',
  );
  expect(message).toContain('options.paths: "^(" is neither');
  expect(message).toContain('options.headers: "Host" is set by lastbyte. Use changeOrigin.');
  expect(message).toContain('options.headers: "a b" has a name or a value that HTTP does not allow.');
  expect(message).toContain('options.rewrite: "/x" is not a function.');
});

test('the inspector shows what went through, and asks again through the same server', async () => {
  await using upstream = await Upstream.start(answering(ok('x')));
  await using front = await TestMiddleware.start({ target: upstream.url, admin: 0 }, alone);
  const admin = front.lastbyte.adminUrl ?? '';
  await fetch(`${front.url}/shown`);
  const { id } = await front.record();
  const replay = await fetch(`${admin}/api/exchanges/${id}/replay`, {
    method: 'POST',
    body: '{}',
    headers: { origin: admin, 'content-type': 'application/json' },
  });
  expect([replay.status, await replay.text()]).toEqual([202, expect.any(String)]);
  await front.record(1);
  expect(upstream.requests.map(({ target }) => target)).toEqual(['/shown', '/shown']);
});
