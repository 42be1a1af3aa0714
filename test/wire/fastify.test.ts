/** What is particular to Fastify, with lastbyte in it through @fastify/middie, as docs/middleware.md says. */

import type { Server } from 'node:http';
import { expect, test } from 'vitest';
import type { Middleware } from '../../src/middleware.ts';
import { signal } from '../harness/bare.ts';
import { Client, valueOf } from '../harness/client.ts';
import { fastify, middie } from '../harness/foreign.ts';
import type { FastifyApp } from '../harness/foreign.ts';
import { TestMiddleware } from '../harness/middleware.ts';
import { answering, ok, Upstream } from '../harness/upstream.ts';

const GET = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n';

async function put(app: FastifyApp, { middleware }: Middleware): Promise<Server> {
  await app.register(middie);
  app.use(middleware);
  await app.ready();
  return app.server;
}

test('methods that have no route go on', async () => {
  await using upstream = await Upstream.start(answering(ok('x')));
  await using front = await TestMiddleware.start({ target: upstream.url }, (lastbyte) =>
    put(fastify(), lastbyte),
  );
  for (const method of ['OPTIONS', 'PROPFIND', 'PURGE'])
    expect((await fetch(front.url, { method })).status).toBe(200);
  expect(upstream.requests.map(({ method }) => method)).toEqual(['OPTIONS', 'PROPFIND', 'PURGE']);
});

test('a path that cannot be decoded is refused by Fastify', async () => {
  await using upstream = await Upstream.start(answering(ok('x')));
  await using front = await TestMiddleware.start({ target: upstream.url }, (lastbyte) =>
    put(fastify(), lastbyte),
  );
  const answer = await fetch(`${front.url}/a%zz`);
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ code: 'FST_ERR_BAD_URL' });
  expect(upstream.requests).toEqual([]);
});

test('fields of the raw response are sent, those of the reply are not', async () => {
  await using upstream = await Upstream.start(answering(ok('x')));
  await using front = await TestMiddleware.start({ target: upstream.url }, async (lastbyte) => {
    const app = fastify();
    app.addHook('onRequest', (_request, reply, done) => {
      reply.header('X-Reply', '1');
      reply.raw.setHeader('X-Raw', '1');
      done();
    });
    return await put(app, lastbyte);
  });
  const { headers } = await fetch(front.url);
  expect([headers.get('x-reply'), headers.get('x-raw')]).toEqual([null, '1']);
});

test('what Fastify responds when handlerTimeout is over is one exchange lost', async () => {
  const released = signal<void>();
  await using upstream = await Upstream.start(async (connection, index) => {
    await connection.request();
    if (index === 0) await released.promise;
    await connection.send(ok('the next'));
    connection.fin();
  });
  await using front = await TestMiddleware.start({ target: upstream.url }, (lastbyte) =>
    put(fastify({ handlerTimeout: 500 }), lastbyte),
  );
  using client = await Client.connect(front.port);
  await client.send(GET);
  const { status, body } = await client.response();
  expect([status, body.toString()]).toEqual([503, expect.stringContaining('FST_ERR_HANDLER_TIMEOUT')]);
  expect(await front.record()).toMatchObject({ outcome: 'abandoned' });
  released.resolve();
  await client.send(GET);
  expect((await client.response()).body.toString()).toBe('the next');
});

test('closed by preClose, it ends what waits before Fastify waits for its connections', async () => {
  const asked = signal<void>();
  await using upstream = await Upstream.start(async (connection) => {
    await connection.request();
    asked.resolve();
    await connection.peerEnd();
  });
  const app = fastify();
  const options = { target: upstream.url, shutdownTimeout: 200 };
  await using front = await TestMiddleware.start(options, async (lastbyte) => {
    app.addHook('preClose', lastbyte.close);
    return await put(app, lastbyte);
  });
  using client = await Client.connect(front.port);
  await client.send(GET);
  await asked.promise;
  const closed = app.close();
  const { status, fields } = await client.response();
  expect([status, valueOf(fields, 'connection')]).toEqual([503, 'close']);
  client.halfClose();
  await closed;
});
