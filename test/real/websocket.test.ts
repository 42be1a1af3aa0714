// WebSocket through lastbyte, with a real implementation on both sides.

import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { createProxy } from '../../src/server/proxy.ts';
import { numberedBody } from './numbered-body.ts';

/** RFC 6455 section 7.4.2: the codes from 4000 are an application's own. */
const OWN_CLOSE_CODE = 4321;

const answerTo = async (socket: WebSocket, message: string | Buffer): Promise<Buffer> => {
  socket.send(message);
  const [answer]: unknown[] = await once(socket, 'message');
  if (!Buffer.isBuffer(answer)) throw new Error('The response is not one Buffer');
  return answer;
};

describe('a WebSocket through lastbyte', () => {
  const upstream = http.createServer();
  const sockets = new WebSocketServer({ server: upstream, path: '/ws' });
  const closes: { readonly code: number; readonly reason: string }[] = [];
  let proxy: ReturnType<typeof createProxy>;

  beforeAll(async () => {
    sockets.on('connection', (socket, request) => {
      socket.on('message', (message, isBinary) => {
        const text = isBinary || !Buffer.isBuffer(message) ? '' : message.toString();
        if (text === 'close me') socket.close(OWN_CLOSE_CODE, 'as asked');
        else if (text === 'my fields') socket.send(JSON.stringify(request.headers));
        else socket.send(message, { binary: isBinary });
      });
      socket.on('close', (code, reason) => closes.push({ code, reason: reason.toString() }));
    });
    upstream.listen(0, '127.0.0.1');
    await once(upstream, 'listening');
    const address = upstream.address();
    if (address === null || typeof address === 'string') throw new Error('The server has no port');
    proxy = createProxy({ target: `http://127.0.0.1:${address.port}`, port: 0, admin: false });
    await proxy.start();
  });

  afterAll(async () => {
    await proxy.close();
    sockets.close();
    upstream.close();
  });

  const connect = async (): Promise<WebSocket> => {
    const socket = new WebSocket(`${proxy.url.replace('http:', 'ws:')}/ws`);
    await once(socket, 'open');
    return socket;
  };

  test('echoes a text and 1 MB of binary unchanged', async () => {
    const socket = await connect();
    expect((await answerTo(socket, 'Grüße')).toString()).toBe('Grüße');
    const binary = numberedBody(1_000_000);
    expect((await answerTo(socket, binary)).equals(binary)).toBe(true);
    socket.close();
    await once(socket, 'close');
  });

  test('gives the server the fields that say whom it serves', async () => {
    const socket = await connect();
    const fields: Record<string, string> = JSON.parse((await answerTo(socket, 'my fields')).toString());
    expect(fields['x-forwarded-for']).toBe('127.0.0.1');
    expect(fields['host']).toBe(new URL(proxy.url).host);
    socket.close();
    await once(socket, 'close');
  });

  test("carries the server's close code and reason to the client", async () => {
    const socket = await connect();
    socket.send('close me');
    const [code, reason]: unknown[] = await once(socket, 'close');
    expect({ code, reason: String(reason) }).toEqual({ code: OWN_CLOSE_CODE, reason: 'as asked' });
  });

  test("carries the client's close code and reason to the server", async () => {
    const socket = await connect();
    const closed = once(sockets.clients.values().next().value ?? socket, 'close');
    socket.close(OWN_CLOSE_CODE, 'enough');
    await Promise.all([once(socket, 'close'), closed]);
    expect(closes).toContainEqual({ code: OWN_CLOSE_CODE, reason: 'enough' });
  });

  test('a client that vanishes is seen by the server as an abnormal closure', async () => {
    const socket = await connect();
    const [server] = sockets.clients;
    const closed = once(server ?? socket, 'close');
    socket.terminate();
    const [code]: unknown[] = await closed;
    expect(code).toBe(1006);
  });

  test('a path without a WebSocket is answered as the server answers it', async () => {
    const socket = new WebSocket(`${proxy.url.replace('http:', 'ws:')}/nothing`);
    // Only a listener keeps `ws` from reading the refusal as an error of its own, and makes the request ours to end.
    const [request, response] = await new Promise<[http.ClientRequest, http.IncomingMessage]>((resolve) =>
      socket.on('unexpected-response', (...refused) => resolve(refused)),
    );
    expect(response.statusCode).toBe(400);
    expect(await buffer(response)).toHaveLength(Number(response.headers['content-length']));
    request.destroy();
  });
});

describe('an upgraded connection through lastbyte', () => {
  test('a client that half-closes still gets what the server has left to say', async () => {
    const farewell = numberedBody(1_000_000);
    const upstream = http.createServer();
    upstream.on('upgrade', (_request, stream, head) => {
      stream.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
      stream.unshift(head);
      stream.resume().on('end', () => stream.end(farewell));
    });
    upstream.listen(0, '127.0.0.1');
    await once(upstream, 'listening');
    const address = upstream.address();
    if (address === null || typeof address === 'string') throw new Error('The server has no port');
    const proxy = createProxy({ target: `http://127.0.0.1:${address.port}`, port: 0, admin: false });
    await proxy.start();
    const socket = net.connect({
      port: Number(new URL(proxy.url).port),
      host: '127.0.0.1',
      allowHalfOpen: true,
    });
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
    const [head]: unknown[] = await once(socket, 'data');
    expect(String(head)).toMatch(/^HTTP\/1\.1 101 /);
    socket.end('last words');
    expect((await buffer(socket)).equals(farewell)).toBe(true);
    await proxy.close();
    upstream.close();
  });
});
