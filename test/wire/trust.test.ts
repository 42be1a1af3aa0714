/** Whom the proxy believes, where it never goes, and that a request cannot run in circles. */

import { connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { askAdmin } from '../harness/admin.ts';
import { Bare } from '../harness/bare.ts';
import { Client, valueOf } from '../harness/client.ts';
import { Inspected } from '../harness/inspected.ts';
import { freePort } from '../harness/ports.ts';
import { TestProxy } from '../harness/proxy.ts';
import { Upstream, answering, ok } from '../harness/upstream.ts';

const CLAIMS =
  'X-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: bank.test\r\n' +
  'X-Forwarded-Port: 443\r\nForwarded: for=9.9.9.9\r\nX-Real-IP: 9.9.9.9\r\nX-Forwarded-Ssl: on, https\r\n' +
  'X-Forwarded-Prefix: /bank.test\r\nX-Forwarded-User: 9.9.9.9\r\n';

/** Sends bytes and reads to the end, from any address that reaches the port. */
async function ask(host: string, port: number, bytes: string): Promise<string> {
  const socket = connect({ host, port });
  socket.end(bytes, 'latin1');
  return await text(socket);
}

describe('what a client claims about where it came from', () => {
  test.each([
    ['an address', '127.0.0.1', '127.0.0.1', ['127.0.0.1']],
    ['a block of IPv4', '127.0.0.1', '127.0.0.1', ['127.0.0.0/8']],
    ['IPv6', '::1', '::1', ['::1']],
    ['a block of IPv6', '::1', '::1', ['::/64']],
    ['IPv4 on a socket for both', '::', '127.0.0.1', ['127.0.0.0/8']],
  ])('is believed from a peer that is trusted by %s', async (_, host, from, trustProxy) => {
    await using upstream = await Upstream.start(answering(ok('')));
    await using proxy = await TestProxy.start(upstream.url, { host, trustProxy });
    await ask(from, proxy.port, `GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${CLAIMS}\r\n`);
    const fields = upstream.requests[0]?.fields ?? [];
    expect(valueOf(fields, 'x-forwarded-for')).toBe(`9.9.9.9, ${from}`);
    expect(valueOf(fields, 'x-forwarded-proto')).toBe('https');
    expect(valueOf(fields, 'x-forwarded-host')).toBe('bank.test');
    expect(valueOf(fields, 'x-forwarded-prefix')).toBe('/bank.test');
    expect(valueOf(fields, 'x-real-ip')).toBe('9.9.9.9');
    expect(valueOf(fields, 'forwarded')).toMatch(/^for=9\.9\.9\.9, for="/);
  });

  test.each([
    ['nobody is trusted', '127.0.0.1', '127.0.0.1', []],
    ['others are trusted', '127.0.0.1', '127.0.0.1', ['10.0.0.0/8', '::1']],
    ['the other family is trusted', '::1', '::1', ['127.0.0.0/8']],
  ])('is dropped when %s', async (_, host, from, trustProxy) => {
    await using upstream = await Upstream.start(answering(ok('')));
    await using proxy = await TestProxy.start(upstream.url, { host, trustProxy });
    const underscores = CLAIMS.replaceAll('-', '_');
    const head = `GET / HTTP/1.1\r\nHost: x\r\nConnection: close, X-Forwarded-For\r\n`;
    await ask(from, proxy.port, `${head}${CLAIMS}${underscores}\r\n`);
    const seen = upstream.requests[0]?.fields ?? [];
    expect(seen.join('\n')).not.toMatch(/9\.9\.9\.9|bank\.test|https|\b443\b/);
    expect(valueOf(seen, 'x-forwarded-for')).toBe(from);
    expect(valueOf(seen, 'x-real-ip')).toBe(from);
  });

  test.each([
    ['on an exempted path', '/s', ''],
    ['in an upgrade', '/', 'Connection: Upgrade\r\nUpgrade: websocket\r\n'],
  ])('is dropped %s', async (_, target, fields) => {
    await using upstream = await Upstream.start(answering(ok('')));
    await using proxy = await TestProxy.start(upstream.url, { stream: ['/s'] });
    using client = await Client.connect(proxy.port);
    await client.send(`GET ${target} HTTP/1.1\r\nHost: x:81\r\n${fields}${CLAIMS}\r\n`);
    expect((await client.response()).status).toBe(200);
    const seen = upstream.requests[0]?.fields ?? [];
    expect(seen.join('\n')).not.toMatch(/9\.9\.9\.9|bank\.test|https|\b443\b/);
    expect([valueOf(seen, 'x-real-ip'), valueOf(seen, 'x-forwarded-host')]).toEqual(['127.0.0.1', 'x:81']);
  });
});

describe('a request target cannot choose where it goes', () => {
  test.each([
    ['an absolute URL of another server', (other: string) => `GET ${other}/stolen HTTP/1.1\r\nHost: x\r\n`],
    [
      'a path that looks like an authority',
      (other: string) => `GET //${other.slice(7)}/ HTTP/1.1\r\nHost: x\r\n`,
    ],
    ['a Host of another server', (other: string) => `GET / HTTP/1.1\r\nHost: ${other.slice(7)}\r\n`],
  ])('not by %s', async (_, head) => {
    await using upstream = await Upstream.start(answering(ok('ours')));
    await using other = await Upstream.start(answering(ok('theirs')));
    await using proxy = await TestProxy.start(upstream.url);
    const answer = await ask('127.0.0.1', proxy.port, `${head(other.url)}Connection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nours$/);
    expect(upstream.requests[0]?.target.startsWith('/')).toBe(true);
    expect(other.connections).toHaveLength(0);
  });

  test.each([
    ['user information in Host', 'GET / HTTP/1.1\r\nHost: evil@127.0.0.1\r\n', 400],
    ['user information in the target', 'GET http://evil@127.0.0.1/ HTTP/1.1\r\nHost: x\r\n', 400],
    ['another scheme', 'GET ftp://127.0.0.1/ HTTP/1.1\r\nHost: x\r\n', 400],
    ['an authority alone', 'GET 127.0.0.1:80 HTTP/1.1\r\nHost: x\r\n', 400],
    ['CONNECT', 'CONNECT 127.0.0.1:80 HTTP/1.1\r\nHost: 127.0.0.1:80\r\n', 405],
  ])('and %s is refused', async (_, head, status) => {
    await using upstream = await Upstream.start(answering(ok('ours')));
    await using proxy = await TestProxy.start(upstream.url);
    const answer = await ask('127.0.0.1', proxy.port, `${head}Connection: close\r\n\r\n`);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(upstream.connections).toHaveLength(0);
    expect(await proxy.record()).toMatchObject({ outcome: 'refused', status });
  });
});

describe('a loop', () => {
  test('of two proxies is broken with 508, and both answer for it', async () => {
    const port = await freePort();
    await using first = await TestProxy.start(`http://127.0.0.1:${port}`);
    await using second = await TestProxy.start(first.url, { port });
    using client = await Client.connect(second.port);
    await client.send('GET /round HTTP/1.1\r\nHost: x\r\n\r\n');
    const { status, fields } = await client.response();
    expect(status).toBe(508);
    expect(valueOf(fields, 'proxy-status')).toContain('proxy_loop_detected');
    await second.record(1);
    await first.record();
    expect([first.records.length, second.records.length]).toEqual([1, 2]);
  });

  test('of a proxy with its own address is refused at the start', async () => {
    const port = await freePort();
    const start = TestProxy.start(`http://127.0.0.1:${port}`, { port });
    await expect(start).rejects.toThrow('makes lastbyte its own target');
  });

  test.each([
    ['a GET', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a POST', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na'],
    ['an exempted path', 'GET /s HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['an upgrade', 'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'],
  ])('through a port mapping that leads back is broken with 508, for %s', async (_, request) => {
    let back = 0;
    await using mapping = await Bare.start(
      createServer((socket) => {
        const onward = connect(back, '127.0.0.1');
        socket
          .on('error', () => onward.destroy())
          .pipe(onward)
          .on('error', () => socket.destroy())
          .pipe(socket);
      }),
    );
    await using proxy = await TestProxy.start(mapping.url, { stream: ['/s'], bodyHold: 5 });
    back = proxy.port;
    using client = await Client.connect(proxy.port);
    await client.send(request);
    expect((await client.response()).status).toBe(508);
    await proxy.record(1);
    expect(proxy.records.map(({ error }) => error)).toContain('loop_detected');
    expect(proxy.records).toHaveLength(2);
  });
});

describe('a replay is trusted as its original was', () => {
  const replay = (id: string) =>
    [
      `/api/exchanges/${id}/replay`,
      { method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json' } },
    ] as const;

  test.each([
    ['nobody trusted', ['127.0.0.1'], '127.0.0.2', []],
    ['a trusted proxy', ['127.0.0.2'], '9.9.9.9, 127.0.0.2', ['https', 'bank.test', '443']],
  ])('%s', async (_who, trustProxy, forwardedFor, believed) => {
    await using inspected = await Inspected.start(answering(ok('')), { host: '0.0.0.0', trustProxy });
    const socket = connect({ port: inspected.proxy.port, host: '127.0.0.1', localAddress: '127.0.0.2' });
    socket.end(`GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${CLAIMS}\r\n`);
    await text(socket);
    const { id } = await inspected.proxy.record();
    const first = await askAdmin(inspected.proxy, ...replay(id));
    const again = await inspected.proxy.record(1);
    expect([first.status, again.clientAddress]).toEqual([202, '127.0.0.2']);
    // Also a replay of the replay.
    await askAdmin(inspected.proxy, ...replay(again.id));
    await inspected.proxy.record(2);
    for (const { fields } of inspected.upstream.requests) {
      expect(valueOf(fields, 'x-forwarded-for')).toBe(forwardedFor);
      expect(fields.join('\n').match(/^(https|bank\.test|443)$/gm) ?? []).toEqual(believed);
    }
    // All that differs is the port that the client came from.
    const plain = inspected.upstream.requests.map(({ method, target, fields }) => [
      method,
      target,
      ...fields.map((one) => one.replace(/127\.0\.0\.2:\d+/, '127.0.0.2:port')),
    ]);
    expect(plain.length).toBe(3);
    expect(plain[1]).toEqual(plain[0]);
    expect(plain[2]).toEqual(plain[0]);
  });
});
