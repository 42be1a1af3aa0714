/** The same promises over TLS, on both sides. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { once } from 'node:events';
import { connect as connectTcp, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { afterAll, describe, expect, test } from 'vitest';
import type { ProxyOptions } from '../../src/index.ts';
import { Bare, turns } from '../harness/bare.ts';
import { Client } from '../harness/client.ts';
import { needForEach, whyNo } from '../harness/need.ts';
import { TestProxy } from '../harness/proxy.ts';
import { selfSigned } from '../harness/self-signed.ts';
import { Upstream, answering, ok } from '../harness/upstream.ts';

const certificate = selfSigned();
const folder = mkdtempSync(join(tmpdir(), 'lastbyte-test-'));
const tlsCert = join(folder, 'cert.pem');
const tlsKey = join(folder, 'key.pem');
if (certificate !== null) {
  writeFileSync(tlsCert, certificate.cert);
  writeFileSync(tlsKey, certificate.key);
}
afterAll(() => rmSync(folder, { recursive: true }));

const BODY = 'x'.repeat(3_000_000);

describe('a client that speaks TLS', () => {
  needForEach(whyNo('openssl'));
  const listening: ProxyOptions = { tlsCert, tlsKey, lingerTimeout: 50 };

  async function connectTo(proxy: TestProxy): Promise<TLSSocket> {
    const port = Number(new URL(proxy.url).port);
    // Node's types do not know that it passes allowHalfOpen on.
    const options = { port, host: '127.0.0.1', rejectUnauthorized: false, allowHalfOpen: true };
    const socket = connect(options);
    await once(socket, 'secureConnect');
    return socket;
  }

  test('gets its whole response, then an orderly end', async () => {
    await using upstream = await Upstream.start(answering(ok(BODY)));
    await using proxy = await TestProxy.start(upstream.url, listening);
    const socket = await connectTo(proxy);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    const answer = (await buffer(socket)).toString('latin1');
    expect(answer.slice(answer.indexOf('\r\n\r\n') + 4) === BODY).toBe(true);
    socket.end();
  });

  test('that sends a flood of requests ahead of their responses gets all of them', async () => {
    await using upstream = await Upstream.start(answering(ok('one')));
    await using proxy = await TestProxy.start(upstream.url, listening);
    const socket = await connectTo(proxy);
    const request = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
    socket.end(`${request.repeat(2999)}GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    const answers = (await buffer(socket)).toString('latin1');
    expect(answers.split('\r\n\r\none').length - 1).toBe(3000);
  });

  test('gets it also when it half-closes right after its request', async () => {
    await using upstream = await Upstream.start(answering(ok(BODY)));
    await using proxy = await TestProxy.start(upstream.url, listening);
    const socket = await connectTo(proxy);
    socket.end('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    const answer = (await buffer(socket)).toString('latin1');
    expect(answer.slice(answer.indexOf('\r\n\r\n') + 4) === BODY).toBe(true);
    expect((await proxy.record()).outcome).toBe('delivered');
  });

  test('may offer h2c, and gets the response to the whole request and to the next one', async () => {
    await using upstream = await Upstream.start(answering(ok('one'), 5));
    await using proxy = await TestProxy.start(upstream.url, { ...listening, withholdBody: 'off' });
    const offer =
      'POST / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 5\r\n\r\nhello';
    const last = 'POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\nagain';
    for (const packets of [[offer + last], `${offer}${last}`.split('')]) {
      const socket = await connectTo(proxy);
      const answers = buffer(socket);
      for (const packet of packets) {
        socket.write(packet);
        await turns(1);
      }
      expect((await answers).toString('latin1').split('\r\n\r\none').length).toBe(3);
      socket.end();
    }
  });

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['a part of its hello', Buffer.from([0x16, 3, 1, 0, 200, 1])],
  ])('and closes its side before the handshake, after %s, is let go at once', async (_name, sent) => {
    await using proxy = await TestProxy.start('http://127.0.0.1:9', listening);
    using client = await Client.connect(proxy.port);
    await client.send(sent);
    client.halfClose();
    expect(await client.end()).toBe('fin');
  });

  test('and is silent before the handshake is let go after the send timeout', async () => {
    await using proxy = await TestProxy.start('http://127.0.0.1:9', { ...listening, clientSendTimeout: 50 });
    using client = await Client.connect(proxy.port);
    expect(await client.end()).toBe('fin');
  });

  test('is told so to the upstream', async () => {
    await using upstream = await Upstream.start(answering(ok('')));
    await using proxy = await TestProxy.start(upstream.url, listening);
    const socket = await connectTo(proxy);
    socket.end('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    await buffer(socket);
    expect(upstream.requests[0]?.fields.join('\n')).toContain('X-Forwarded-Proto\nhttps');
  });

  test('gets a close_notify after the response, and may go on reading and writing until it closes', async () => {
    await using upstream = await Upstream.start(answering(ok(BODY)));
    await using proxy = await TestProxy.start(upstream.url, { ...listening, lingerTimeout: 5000 });
    const socket = await connectTo(proxy);
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    await until(socket, BODY.length);
    // More than what a kernel buffers: whoever does not read it would reset us.
    socket.end(Buffer.alloc(8_000_000));
    await once(socket, 'end');
    expect(socket.errored).toBeNull();
    expect((await proxy.record()).outcome).toBe('delivered');
  });

  test('is answered in the middle of an upload that is too large', async () => {
    await using upstream = await Upstream.start(answering(ok('')));
    await using proxy = await TestProxy.start(upstream.url, { ...listening, maxRequestBody: 10 });
    const socket = await connectTo(proxy);
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8000000\r\n\r\n');
    socket.end(Buffer.alloc(8_000_000));
    expect((await buffer(socket)).toString('latin1')).toMatch(/^HTTP\/1\.1 413 /);
    expect(socket.errored).toBeNull();
  });

  test('that resets in the middle of its response is told to the upstream and to the log', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
    });
    await using proxy = await TestProxy.start(upstream.url, { ...listening, bodyIdleTimeout: 0 });
    const raw = connectTcp({ port: Number(new URL(proxy.url).port), host: '127.0.0.1' });
    const socket = connect({ socket: raw, rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    socket.on('error', () => undefined).write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    while (upstream.requests.length === 0) await turns(1);
    raw.resetAndDestroy();
    expect((await proxy.record()).outcome).toBe('abandoned');
    await upstream.connections[0]?.peerEnd();
  });

  test('and whose stream is cut gets no close_notify: it cannot take the part for the whole', async () => {
    await using upstream = await Upstream.start(answering(`${EVENT_HEAD}half`));
    await using proxy = await TestProxy.start(upstream.url, { ...listening, shutdownTimeout: 100 });
    let records = Buffer.alloc(0);
    await using wire = await Bare.start(
      createTcpServer((near) => {
        const far = connectTcp(Number(new URL(proxy.url).port), '127.0.0.1');
        far.on('data', (received) => (records = Buffer.concat([records, received])));
        far
          .on('error', () => near.destroy())
          .pipe(near.on('error', () => undefined))
          .pipe(far);
      }),
    );
    // In TLS 1.2 an alert can be told from the outside: its record has the type 21 (RFC 5246 section 6.2.1).
    const socket = connect({
      port: wire.port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      maxVersion: 'TLSv1.2',
    });
    await once(socket, 'secureConnect');
    socket.on('error', () => undefined).write('GET / HTTP/1.0\r\nHost: x\r\n\r\n');
    await until(socket, EVENT_HEAD.length / 2);
    const gone = once(socket, 'close');
    await proxy.proxy.close();
    await gone;
    expect(recordTypes(records)).toContain(23);
    expect(recordTypes(records)).not.toContain(21);
    expect((await proxy.record()).outcome).toBe('cut');
  });

  test('in the middle of its handshake does not outlive the deadline of the end', async () => {
    await using upstream = await Upstream.start(answering(ok('')));
    await using proxy = await TestProxy.start(upstream.url, { ...listening, shutdownTimeout: 100 });
    using client = await Client.connect(Number(new URL(proxy.url).port));
    await client.send(Buffer.from([22, 3, 1]));
    await proxy.proxy.close();
    await client.end();
  });
});

const EVENT_HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n';

/** The types of the TLS records, each of five bytes of head and its length. */
function recordTypes(records: Buffer): readonly number[] {
  const types: number[] = [];
  for (let at = 0; at + 5 <= records.length; at += 5 + records.readUInt16BE(at + 3))
    types.push(records[at] ?? 0);
  return types;
}

/** Resolves when so many bytes came. */
async function until(socket: TLSSocket, bytes: number): Promise<void> {
  let count = 0;
  await new Promise<void>((resolve) => {
    socket.on('data', (received: Buffer) => {
      count += received.length;
      if (count >= bytes) resolve();
    });
  });
}

describe('an upstream that speaks TLS', () => {
  needForEach(whyNo('openssl'));
  async function request(options: ProxyOptions): Promise<{ status: number; body: string }> {
    const server = createHttpsServer({ ...certificate }, (incoming, response) => {
      incoming.resume().on('end', () => response.end(BODY));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    try {
      await using proxy = await TestProxy.start(`https://127.0.0.1:${port}`, { bodyHold: 5, ...options });
      using client = await Client.connect(proxy.port);
      await client.send(
        'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
      );
      const { status, body } = await client.response();
      return { status, body: body.toString('latin1') };
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }

  test('is believed when the user says so', async () => {
    const { status, body } = await request({ insecure: true });
    expect(status).toBe(200);
    expect(body === BODY).toBe(true);
  });

  test('with a certificate that nobody vouches for is refused, in words', async () => {
    const { status, body } = await request({});
    expect(status).toBe(502);
    expect(body).toContain('upstream_certificate');
    expect(body).toContain('--insecure');
  });
});

describe('an upstream on a unix socket', () => {
  test('that is not there yet is waited for like one that refuses', async () => {
    const path = join(folder, 'late.sock');
    await using proxy = await TestProxy.start(`unix:${path}`, { waitForUpstream: 10_000, maxWaiting: 1 });
    using client = await Client.connect(proxy.port);
    await client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    // The only place to wait in is taken, so the first one waits.
    using second = await Client.connect(proxy.port);
    await second.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    expect((await second.response()).status).toBe(503);
    const server = createHttpServer((_, response) => response.end('at last')).listen(path);
    expect((await client.response()).body.toString()).toBe('at last');
    expect((await proxy.record(1)).waitedMs).toBeGreaterThan(0);
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  test('that stays away is told by its path', async () => {
    await using proxy = await TestProxy.start(`unix:${join(folder, 'never.sock')}`);
    using client = await Client.connect(proxy.port);
    await client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const { status, body } = await client.response();
    expect(status).toBe(503);
    expect(body.toString()).toMatch(/never\.sock has no socket file/);
  });
});
