/** The plugin in Vite's own servers: what moves from `server.proxy`, what stays Vite's, and what is left after the end. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect as connectTls } from 'node:tls';
import { describe, expect, test } from 'vitest';
import type { Plugin } from 'vite';
import { WebSocket, WebSocketServer } from 'ws';
import lastbyte from '../../src/vite.ts';
import { Bare, signal } from '../harness/bare.ts';
import { Client, valueOf } from '../harness/client.ts';
import { need, whyNo } from '../harness/need.ts';
import { freePort, isFree } from '../harness/ports.ts';
import { selfSigned } from '../harness/self-signed.ts';
import { answering, ok, Upstream } from '../harness/upstream.ts';
import { TestVite, VITES } from '../harness/vite.ts';
import { SilentUpstream } from '../harness/silent-upstream.ts';

const textOf = async (url: string): Promise<string> => await (await fetch(url)).text();

describe.each(VITES)('%s', (name) => {
  test.each(['dev', 'preview'] as const)(
    '%s asks the upstream for the paths of the entries',
    async (kind) => {
      await using upstream = await Upstream.start(answering(ok('upstream')));
      const entry = {
        target: `${upstream.url}/base/`,
        rewrite: (path: string) => path.replace(/^\/x/, ''),
        headers: { 'x-added': 'yes' },
      };
      await using vite = await TestVite[kind](name, lastbyte({ '/api': upstream.url, '^/x/\\d+': entry }));
      expect(await textOf(`${vite.url}/api/a?b=1`)).toBe('upstream');
      expect(await textOf(`${vite.url}/x/1/y`)).toBe('upstream');
      expect(await textOf(`${vite.url}/`)).toContain('<title>site</title>');
      expect(upstream.requests.map(({ target }) => target)).toEqual(['/api/a?b=1', '/base/1/y']);
      const hosts = upstream.requests.map(({ fields }) => valueOf(fields, 'host'));
      // As in server.proxy: a target alone changes the origin, an entry must say so.
      expect(hosts).toEqual([`127.0.0.1:${upstream.port}`, `127.0.0.1:${vite.port}`]);
      expect(upstream.requests.map(({ fields }) => valueOf(fields, 'x-added'))).toEqual([undefined, 'yes']);
    },
  );

  test('a chunked body goes on whole, and a cut response is asked for again', async () => {
    await using upstream = await Upstream.start(async (connection, index) => {
      const { method = '' } = (await connection.request(index === 0 ? 5 : 0)) ?? {};
      await connection.send(method === 'GET' && index === 1 ? ok('whole').slice(0, -1) : ok('whole'));
      connection.fin();
    });
    await using vite = await TestVite.dev(name, lastbyte({ '/': upstream.url }, { retryBackoff: 1 }));
    using client = await Client.connect(vite.port);
    await client.send(
      'POST /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    );
    expect((await client.response()).body.toString()).toBe('whole');
    await client.send('GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n');
    expect((await client.response()).body.toString()).toBe('whole');
    expect(upstream.connections[0]?.received.toString()).toMatch(/content-length: 5\r\n[^]*\r\n\r\nhello$/i);
    expect(upstream.requests.map(({ method }) => method)).toEqual(['POST', 'GET', 'GET']);
  });

  test("WebSockets of an entry are joined with the upstream, and Vite's own socket is left alone", async () => {
    await using echo = await Bare.start(createServer());
    new WebSocketServer({ server: echo.server }).on('connection', (socket) =>
      socket.on('message', (message: Buffer) => socket.send(`echo ${message.toString()}`)),
    );
    await using vite = await TestVite.dev(name, lastbyte({ '/': { target: echo.url, ws: true } }));
    const ours = new WebSocket(`ws://127.0.0.1:${vite.port}/chat`);
    await once(ours, 'open');
    ours.send('hello');
    expect(String((await once(ours, 'message'))[0])).toBe('echo hello');
    const hot = new WebSocket(`ws://127.0.0.1:${vite.port}/`, 'vite-hmr');
    expect(JSON.parse(String((await once(hot, 'message'))[0]))).toEqual({ type: 'connected' });
    for (const socket of [ours, hot]) {
      socket.close();
      await once(socket, 'close');
    }
  });

  test('server-sent events pass as they come', async () => {
    const seen = signal<void>();
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n');
      await seen.promise;
      await connection.send('data: 2\n\n');
      connection.fin();
    });
    await using vite = await TestVite.dev(name, lastbyte({ '/events': upstream.url }));
    const response = await fetch(`${vite.url}/events`);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader?.read())?.value).toBe('data: 1\n\n');
    seen.resolve();
    expect((await reader?.read())?.value).toBe('data: 2\n\n');
  });

  test("what failed is one sentence in Vite's log, and a page in the browser", async () => {
    const target = `http://127.0.0.1:${await freePort()}`;
    let logged: readonly string[];
    {
      await using vite = await TestVite.dev(name, lastbyte({ '/api': target }, { waitForUpstream: 0 }));
      const answer = await fetch(`${vite.url}/api/x?token=secret`, { headers: { accept: 'text/html' } });
      expect([answer.status, await answer.text()]).toEqual([503, expect.stringContaining('<!doctype html>')]);
      ({ logged } = vite);
    }
    const lines = logged.filter((line) => line.startsWith('lastbyte: GET'));
    expect(lines).toEqual([expect.stringMatching(/^lastbyte: GET \/api\/x\?token=\[redacted\] 503: .+\.$/)]);
    expect(lines[0]).toContain(target);
  });

  test('a client that leaves ends what is under way for it', async () => {
    await using upstream = await SilentUpstream.start();
    await using vite = await TestVite.dev(name, lastbyte({ '/api': upstream.url }));
    await upstream.askAndLeave(vite.port, 'GET /api HTTP/1.1\r\nHost: localhost\r\n\r\n');
  });

  test('it begins again with Vite, on the same ports, and ends with it', async () => {
    const asked = signal<void>();
    const ended = signal<void>();
    await using upstream = await Upstream.start(async (connection) => {
      const request = await connection.request();
      if (request?.target === '/api/quick') return await connection.send(ok('upstream'));
      asked.resolve();
      await connection.peerEnd();
      ended.resolve();
    });
    const admin = await freePort();
    await using vite = await TestVite.dev(name, lastbyte({ '/api': upstream.url }, { admin }));
    const { port } = vite;
    const waits = fetch(`${vite.url}/api/waits`).then(
      () => 'answered',
      () => 'failed',
    );
    await asked.promise;
    await vite.restart();
    expect(await waits).toBe('failed');
    await ended.promise;
    expect(vite.port).toBe(port);
    expect(await textOf(`${vite.url}/api/quick`)).toBe('upstream');
    expect(await textOf(`http://127.0.0.1:${admin}/healthz`)).toBe('ok\n');
    expect(vite.logged.filter((line) => line.includes('has no inspector'))).toEqual([]);
    await vite.close();
    expect([await isFree(port), await isFree(admin)]).toEqual([true, true]);
  });

  test('over TLS, where Vite would speak HTTP/2, it is HTTP/1.1', async (context) => {
    const https = selfSigned();
    need(context, whyNo('openssl'));
    await using upstream = await Upstream.start(answering(ok('upstream')));
    await using vite = await TestVite.dev(name, lastbyte({ '/api': upstream.url }), { https });
    const socket = connectTls({
      port: vite.port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      ALPNProtocols: ['h2', 'http/1.1'],
    });
    await once(socket, 'secureConnect');
    expect(socket.alpnProtocol).toBe('http/1.1');
    socket.write('GET /api HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    let text = '';
    for await (const part of socket.setEncoding('latin1')) text += String(part);
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nupstream$/);
  });
});

test("it has the type of Vite's own plugins", () => {
  const plugin: Plugin = lastbyte({ '/api': { target: new URL('http://127.0.0.1:8000'), ws: true } });
  expect(plugin.name).toBe('lastbyte');
});

test('what cannot be honoured is an error that names it', () => {
  const entries = {
    '/api': { target: 'ftp://x', xfwd: true, bypass: () => null, ws: 'yes', rewrite: 5 },
    api: 'http://127.0.0.1:8000',
    '/empty': null,
    '/fine': 'http://127.0.0.1:8000',
  };
  const message = errorOf(entries, { port: 5, changeOrigin: true, bodyHodl: 1 });
  for (const line of [
    '"/api".target: "ftp://x" has the scheme ftp.',
    '"/api".xfwd: "true" cannot be honoured by lastbyte. Leave it out: lastbyte always sends X-Forwarded-For, -Host, -Port and -Proto.',
    '"/api".bypass: cannot be honoured by lastbyte. Leave it out, or keep this entry in server.proxy.',
    '"/api".ws: "yes" is neither true nor false.',
    '"/api".rewrite: "5" is not a function.',
    '"api".paths: "api" is neither the beginning of a path nor a regular expression.',
    '"/empty".target: ',
    'options.port: is for the server that lastbyte is part of.',
    'options.changeOrigin: is not for all entries.',
    'options.bodyHodl: ',
  ])
    expect(message).toContain(line);
  expect(message.match(/options\.port/g)).toHaveLength(1);
  expect(errorOf({}, {})).toContain("Write { '/api': 'http://127.0.0.1:8000' }");
});

function errorOf(entries: unknown, options: unknown): string {
  try {
    Reflect.apply(lastbyte, null, [entries, options]);
    return '';
  } catch (error) {
    return String(error);
  }
}
