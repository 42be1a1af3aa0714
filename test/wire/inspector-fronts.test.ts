/** The inspector behind every kind of front door, and the end of its listener. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, expect, test } from 'vitest';
import { FeedReader, askAdmin } from '../harness/admin.ts';
import { Inspected } from '../harness/inspected.ts';
import { selfSigned } from '../harness/self-signed.ts';
import { need, whyNo } from '../harness/need.ts';
import { answering, ok } from '../harness/upstream.ts';

const certificate = selfSigned();
const folder = mkdtempSync(join(tmpdir(), 'lastbyte-front-'));
const tlsCert = join(folder, 'cert.pem');
const tlsKey = join(folder, 'key.pem');
if (certificate !== null) {
  writeFileSync(tlsCert, certificate.cert);
  writeFileSync(tlsKey, certificate.key);
}
afterAll(() => rmSync(folder, { recursive: true }));

type Ask = (inspected: Inspected) => Promise<IncomingMessage>;

const post = { method: 'POST', path: '/form', agent: false, headers: { 'Content-Length': 5 } } as const;

const overTls: Ask = ({ proxy }) =>
  new Promise((resolve, reject) => {
    const options = { ...post, host: '127.0.0.1', port: proxy.port, rejectUnauthorized: false };
    httpsRequest(options, resolve).on('error', reject).end('hello');
  });

const socket = join(folder, 'front.sock');
const overUnix: Ask = () =>
  new Promise((resolve, reject) => {
    httpRequest({ ...post, socketPath: socket }, resolve)
      .on('error', reject)
      .end('hello');
  });

test.for([
  ['TLS', { tlsCert, tlsKey }, overTls],
  ['a unix socket', { socket }, overUnix],
] as const)('over %s a request is replayed, with its body', async ([, options, ask], context) => {
  if ('tlsCert' in options) need(context, whyNo('openssl'));
  await using inspected = await Inspected.start(answering(ok('x'), 5), { lingerTimeout: 50, ...options });
  expect(await text(await ask(inspected))).toBe('x');
  const { id } = await inspected.proxy.record();
  const reply = await askAdmin(inspected.proxy, `/api/exchanges/${id}/replay`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: '{"confirm":true}',
  });
  expect(reply.status).toBe(202);
  const again = await inspected.proxy.record(1);
  expect(JSON.parse(reply.body)).toEqual({ id: again.id });
  expect(again).toMatchObject({
    method: 'POST',
    url: '/form',
    requestBodyBytes: 5,
    status: 200,
    outcome: 'delivered',
  });
  expect((await inspected.full(again.id)).replay_of).toBe(id);
});

test('over TLS both FINs are seen, and the connection closed cleanly', async (context) => {
  need(context, whyNo('openssl'));
  await using inspected = await Inspected.start(answering(ok('x'), 5), { tlsCert, tlsKey });
  await text(await overTls(inspected));
  const { id } = await inspected.proxy.record();
  await expect.poll(async () => (await inspected.full(id)).timeline.closed_by).toBe('fin');
});

test('the end of everything ends the admin listener and its watchers', async () => {
  await using inspected = await Inspected.start(answering(ok('x')));
  using feed = await FeedReader.open(inspected.proxy);
  await feed.next('hello');
  inspected.proxy.proxy.destroy();
  await feed.end();
  await expect(askAdmin(inspected.proxy, '/healthz')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('a watcher that stops reading for a while gets the newest when it reads again', async () => {
  await using inspected = await Inspected.start(answering(ok('x')));
  using feed = await FeedReader.open(inspected.proxy);
  await feed.next('hello');
  feed.reply.pause();
  // More than the sockets between them can hold.
  const path = `/${'y'.repeat(20_000)}`;
  for (let at = 0; at < 400; at += 1) await inspected.exchange(`GET ${path}${at}`);
  feed.reply.resume();
  const [newest] = (await inspected.page('?limit=1')).exchanges;
  await feed.next('exchange', (row) => JSON.stringify(row).includes(newest?.id ?? 'none'));
  expect((await inspected.summary()).exchanges).toBe(400);
});
