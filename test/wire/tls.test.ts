/** The same promises over TLS, on both sides. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpsServer } from 'node:https';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { afterAll, describe, expect, test } from 'vitest';
import type { ProxyOptions } from '../../src/index.ts';
import { Client } from '../helpers/client.ts';
import { TestProxy } from '../helpers/proxy.ts';
import { selfSigned } from '../helpers/self-signed.ts';
import { Upstream, answering, ok } from '../helpers/upstream.ts';

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

describe.skipIf(certificate === null)('a client that speaks TLS', () => {
  const listening: ProxyOptions = { tlsCert, tlsKey, lingerTimeout: 50 };

  async function connectTo(proxy: TestProxy): Promise<TLSSocket> {
    const port = Number(new URL(proxy.url).port);
    // Node's types do not know that it passes allowHalfOpen on.
    const options = { port, host: '127.0.0.1', rejectUnauthorized: false, allowHalfOpen: true };
    const socket = connect(options);
    await once(socket, 'secureConnect');
    return socket;
  }

  test('gets its whole answer, then an orderly end', async () => {
    await using upstream = await Upstream.start(answering(ok(BODY)));
    await using proxy = await TestProxy.start(upstream.url, listening);
    const socket = await connectTo(proxy);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    const answer = (await buffer(socket)).toString('latin1');
    expect(answer.slice(answer.indexOf('\r\n\r\n') + 4) === BODY).toBe(true);
    socket.end();
  });

  test('that sends a flood of requests ahead of their answers gets all of them', async () => {
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

  test('is told so to the upstream', async () => {
    await using upstream = await Upstream.start(answering(ok('')));
    await using proxy = await TestProxy.start(upstream.url, listening);
    const socket = await connectTo(proxy);
    socket.end('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    await buffer(socket);
    expect(upstream.requests[0]?.fields.join('\n')).toContain('X-Forwarded-Proto\nhttps');
  });
});

describe.skipIf(certificate === null)('an upstream that speaks TLS', () => {
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
