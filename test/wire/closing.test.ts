import { expect, test } from 'vitest';
import { Client, valueOf } from '../harness/client.ts';
import { TestProxy } from '../harness/proxy.ts';
import { Upstream, answering, ok } from '../harness/upstream.ts';

const CLOSING = 'GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
const KEEPING = 'GET /a HTTP/1.1\r\nHost: x\r\n\r\n';
const MIB = 1024 * 1024;

test('our FIN follows the FIN of the client, not the last byte', async () => {
  await using upstream = await Upstream.start(answering(ok('whole')));
  await using proxy = await TestProxy.start(upstream.url, { lingerTimeout: '60s', lingerTotal: '60s' });
  using client = await Client.connect(proxy.port);
  await client.send(CLOSING);
  const response = await client.response();
  expect(response.body.toString()).toBe('whole');
  expect(valueOf(response.fields, 'connection')).toBe('close');
  await proxy.record();
  expect(client.ended).toBeNull();
  client.halfClose();
  expect(await client.end()).toBe('fin');
});

test('a client that waits for our FIN gets it after the linger timeout', async () => {
  await using upstream = await Upstream.start(answering(ok('whole')));
  await using proxy = await TestProxy.start(upstream.url, { lingerTimeout: 50, lingerTotal: '60s' });
  using client = await Client.connect(proxy.port);
  await client.send(CLOSING);
  await client.response();
  expect(await client.end()).toBe('fin');
});

test('a client that never closes is cut off after the linger total', async () => {
  await using upstream = await Upstream.start(answering(ok('whole')));
  await using proxy = await TestProxy.start(upstream.url, { lingerTimeout: 20, lingerTotal: 100 });
  using client = await Client.connect(proxy.port);
  await client.send(CLOSING);
  await client.response();
  expect(await client.end()).toBe('fin');
  await proxy.proxy.close();
  expect(client.socket.writableEnded, 'the client itself never closed').toBe(false);
});

test('an HTTP/1.0 client is answered with a length and closed, even when it asks to be kept', async () => {
  await using upstream = await Upstream.start(answering(ok('whole')));
  await using proxy = await TestProxy.start(upstream.url, { lingerTimeout: 20 });
  using client = await Client.connect(proxy.port);
  await client.send('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
  const response = await client.response();
  expect(response.body.toString()).toBe('whole');
  expect(valueOf(response.fields, 'connection')).toBe('close');
  expect(await client.end()).toBe('fin');
});

test('a client that half-closes right after its request gets its whole response', async () => {
  const body = 'x'.repeat(3 * MIB);
  await using upstream = await Upstream.start(answering(ok(body)));
  await using proxy = await TestProxy.start(upstream.url);
  using client = await Client.connect(proxy.port);
  await client.send(KEEPING);
  client.halfClose();
  const response = await client.response();
  expect(response.body.length).toBe(body.length);
  await client.end();
  expect(client.left.length).toBe(0);
});

test('bytes after a request with Connection: close are neither answered nor the cause of a reset', async () => {
  const body = 'x'.repeat(2 * MIB);
  await using upstream = await Upstream.start(answering(ok(body)));
  await using proxy = await TestProxy.start(upstream.url, { lingerTimeout: 50 });
  using client = await Client.connect(proxy.port);
  const sent = client.send(CLOSING + KEEPING.repeat(2000) + 'no request at all '.repeat(200_000));
  const response = await client.response();
  expect(response.body.length).toBe(body.length);
  await sent;
  expect(await client.end()).toBe('fin');
  expect(client.left.length, 'bytes after the response').toBe(0);
  expect(upstream.requests.length).toBe(1);
});

test('pipelined requests are answered in order, and none after the one that closes', async () => {
  await using upstream = await Upstream.start(async (connection) => {
    for (;;) {
      const request = await connection.request();
      if (request === null) return connection.fin();
      await connection.send(ok(request.target));
    }
  });
  await using proxy = await TestProxy.start(upstream.url, { lingerTimeout: 20 });
  using client = await Client.connect(proxy.port);
  const get = (path: string, fields = ''): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n${fields}\r\n`;
  await client.send(get('/1') + get('/2') + get('/3', 'Connection: close\r\n') + get('/4'));
  const bodies = [];
  for (let index = 0; index < 3; index += 1) bodies.push((await client.response()).body.toString());
  expect(bodies).toEqual(['/1', '/2', '/3']);
  expect(await client.end()).toBe('fin');
  expect(client.left.length).toBe(0);
  expect(upstream.requests.map((request) => request.target)).toEqual(['/1', '/2', '/3']);
});

test('nonsense after a good request: the request is answered, then the nonsense', async () => {
  await using upstream = await Upstream.start(answering(ok('whole')));
  await using proxy = await TestProxy.start(upstream.url, { lingerTimeout: 20 });
  using client = await Client.connect(proxy.port);
  await client.send(`${KEEPING}NONSENSE\r\n\r\n`);
  expect((await client.response()).status).toBe(200);
  const refusal = await client.response();
  expect([refusal.status, refusal.reason]).toEqual([400, 'Bad Request']);
  expect(await client.end()).toBe('fin');
  expect((await proxy.record(1)).error).toBe('bad_request');
});

/** Sends `head`, then 20 MB in whatever pieces the kernel takes; how many bytes went out is of no concern. */
async function upload(client: Client, head: string, piece: Buffer, pieces: number): Promise<void> {
  await client.send(head);
  for (let index = 0; index < pieces; index += 1) await client.send(piece);
}

test.each([
  ['with a length', `Content-Length: ${20 * MIB}\r\n`, Buffer.alloc(MIB, 'z')],
  ['chunked', 'Transfer-Encoding: chunked\r\n', Buffer.from(`100000\r\n${'z'.repeat(MIB)}\r\n`)],
])('413 reaches a client that is still uploading 20 MB, %s', async (_name, fields, piece) => {
  await using upstream = await Upstream.start(answering(ok('never')));
  await using proxy = await TestProxy.start(upstream.url, { maxRequestBody: '1mb', lingerTimeout: 100 });
  using client = await Client.connect(proxy.port);
  const sent = upload(client, `POST / HTTP/1.1\r\nHost: x\r\n${fields}\r\n`, piece, 20);
  const response = await client.response();
  expect(response.status).toBe(413);
  expect(response.body.toString()).toContain('--max-request-body');
  await sent;
  expect(client.ended, 'while it uploads').not.toBe('reset');
  client.halfClose();
  await client.end();
  expect(upstream.connections.length).toBe(0);
});

test('400 reaches a client that is still uploading 20 MB', async () => {
  await using upstream = await Upstream.start(answering(ok('never')));
  await using proxy = await TestProxy.start(upstream.url, { lingerTimeout: 100 });
  using client = await Client.connect(proxy.port);
  const head = `POST / HTTP/1.1\r\nHost: x\r\nHost: y\r\nContent-Length: ${20 * MIB}\r\n\r\n`;
  const sent = upload(client, head, Buffer.alloc(MIB, 'z'), 20);
  expect((await client.response()).status).toBe(400);
  await sent;
  expect(client.ended).not.toBe('reset');
});

test('502 reaches a client after an upload of 20 MB that the upstream refused to read', async () => {
  await using upstream = await Upstream.start(async (connection) => {
    await connection.request();
    // The first byte of the response: from then on the request is not sent again.
    await connection.send('H');
    connection.reset();
  });
  await using proxy = await TestProxy.start(upstream.url, { lingerTimeout: 100 });
  using client = await Client.connect(proxy.port);
  await upload(
    client,
    `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${20 * MIB}\r\n\r\n`,
    Buffer.alloc(MIB, 'z'),
    20,
  );
  expect((await client.response()).status).toBe(502);
  expect(upstream.requests.length).toBe(1);
});

test('an idle client is told a shorter time than it is given, and ended by FIN', async () => {
  await using upstream = await Upstream.start(answering(ok('whole')));
  await using proxy = await TestProxy.start(upstream.url, { keepAliveTimeout: 1000 });
  using client = await Client.connect(proxy.port);
  await client.send(KEEPING);
  const { fields } = await client.response();
  expect(valueOf(fields, 'keep-alive')).toBe('timeout=1');
  expect(await client.end()).toBe('fin');
});

test('a client that stops in the middle of its body gets 408', async () => {
  await using upstream = await Upstream.start(answering(ok('never')));
  await using proxy = await TestProxy.start(upstream.url, { clientSendTimeout: 100, lingerTimeout: 20 });
  using client = await Client.connect(proxy.port);
  await client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc');
  expect((await client.response()).status).toBe(408);
  expect(await client.end()).toBe('fin');
});

test('a client that closes its side in the middle of its body gets 400', async () => {
  await using upstream = await Upstream.start(answering(ok('never')));
  await using proxy = await TestProxy.start(upstream.url);
  using client = await Client.connect(proxy.port);
  await client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc');
  client.halfClose();
  expect((await client.response()).status).toBe(400);
  expect(upstream.connections.length).toBe(0);
});

test('a client that takes no byte of its response is reset in the end, and the log says so', async () => {
  await using upstream = await Upstream.start(answering(ok('x'.repeat(30 * MIB))));
  await using proxy = await TestProxy.start(upstream.url, { clientReceiveTimeout: 200 });
  using client = await Client.connect(proxy.port);
  client.socket.pause();
  await client.send(KEEPING);
  const record = await proxy.record();
  expect(record.outcome).toBe('abandoned');
  expect(record.sentence).toContain('--client-receive-timeout');
});

test('a client that resets while it waits ends the upstream request', async () => {
  await using upstream = await Upstream.start(async (connection) => {
    await connection.request();
  });
  await using proxy = await TestProxy.start(upstream.url);
  using client = await Client.connect(proxy.port);
  await client.send(KEEPING);
  while (upstream.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
  client.socket.resetAndDestroy();
  expect((await proxy.record()).outcome).toBe('abandoned');
  const [connection] = upstream.connections;
  expect(await connection?.peerEnd()).toBe('fin');
});

test('shutting down finishes what is under way and closes by FIN', async () => {
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  await using upstream = await Upstream.start(async (connection) => {
    await connection.request();
    await released;
    await connection.send(ok('whole'));
  });
  await using proxy = await TestProxy.start(upstream.url, { lingerTimeout: 20 });
  using idle = await Client.connect(proxy.port);
  using client = await Client.connect(proxy.port);
  await client.send(KEEPING);
  while (upstream.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const closed = proxy.proxy.close();
  expect(await idle.end()).toBe('fin');
  idle.halfClose();
  release();
  const response = await client.response();
  expect([response.status, valueOf(response.fields, 'connection')]).toEqual([200, 'close']);
  expect(await client.end()).toBe('fin');
  client.halfClose();
  await closed;
});

test('shutting down does not cut off a response that the client has not taken yet', async () => {
  const body = 'x'.repeat(MIB);
  await using upstream = await Upstream.start(answering(ok(body)));
  await using proxy = await TestProxy.start(upstream.url, { lingerTimeout: '30s' });
  using client = await Client.connect(proxy.port);
  client.socket.pause();
  await client.send(CLOSING);
  await proxy.record();
  const closed = proxy.proxy.close();
  // On a socket that is closed on our side, this would bring a reset, and the reset would take the response away.
  await client.send('a byte too many');
  for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  client.socket.resume();
  expect((await client.response()).body.length).toBe(body.length);
  client.halfClose();
  expect(await client.end()).toBe('fin');
  await closed;
});

test('a client that pipelines and resets leaves nothing waiting, and no request of it is begun', async () => {
  await using upstream = await Upstream.start(async (connection) => {
    await connection.request();
  });
  await using proxy = await TestProxy.start(upstream.url);
  using client = await Client.connect(proxy.port);
  await client.send(KEEPING.repeat(3));
  while (upstream.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
  client.socket.resetAndDestroy();
  expect((await proxy.record()).outcome).toBe('abandoned');
  await proxy.proxy.close();
  expect(upstream.requests.length).toBe(1);
});

test('after a reload no connection to the old target comes back', async () => {
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  await using old = await Upstream.start(async (connection) => {
    while ((await connection.request()) !== null) {
      await released;
      await connection.send(ok('old'));
    }
  });
  await using next = await Upstream.start(answering(ok('new')));
  await using proxy = await TestProxy.start(old.url);
  using client = await Client.connect(proxy.port);
  await client.send(KEEPING);
  while (old.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const { settings } = proxy.proxy;
  proxy.proxy.reload({
    ...settings,
    target: { kind: 'tcp', tls: false, host: '127.0.0.1', port: next.port },
  });
  release();
  expect((await client.response()).body.toString()).toBe('old');
  await client.send(KEEPING);
  expect((await client.response()).body.toString()).toBe('new');
});
