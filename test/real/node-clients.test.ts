// Node's own clients and bare sockets, through lastbyte, in front of real Django and real Flask.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { frontOf } from './front.ts';
import { numberedBody } from './numbered-body.ts';

const ANSWER = numberedBody(5_000_000);
const ANSWER_PATH = `/bytes/${ANSWER.length}`;
const UPLOAD = numberedBody(100_000);
const UPLOAD_ECHO = { sha256: createHash('sha256').update(UPLOAD).digest('hex'), length: UPLOAD.length };

/** A body of unknown length, which fetch sends chunked. */
const uploadStream = (): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start(controller) {
      for (let at = 0; at < UPLOAD.length; at += 7_000) controller.enqueue(UPLOAD.subarray(at, at + 7_000));
      controller.close();
    },
  });

const bodyOf = async (
  request: http.ClientRequest,
): Promise<{ response: http.IncomingMessage; body: Buffer }> => {
  const [response]: http.IncomingMessage[] = await once(request, 'response');
  if (response === undefined) throw new Error('There is no response');
  return { response, body: await buffer(response) };
};

/** Everything that a bare connection brings after this request; rejects when it is reset. */
const readToFin = async (port: number, request: string, halfClose: boolean): Promise<Buffer> => {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.write(request);
  if (halfClose) socket.end();
  const bytes = await buffer(socket);
  socket.end();
  return bytes;
};

const bodyAfterHead = (bytes: Buffer): Buffer => bytes.subarray(bytes.indexOf('\r\n\r\n') + 4);

describe.each(['Django runserver', 'Flask (Werkzeug)'] as const)('in front of %s', (name) => {
  const front = frontOf(name);

  test.for(['GET', 'POST'])(
    'http.request: a %s over a connection of its own gets 5 MB whole',
    async (method, context) => {
      const request = http.request(front(context).url + ANSWER_PATH, { method, agent: false });
      request.end(method === 'POST' ? UPLOAD : undefined);
      const { response, body } = await bodyOf(request);
      expect(response.statusCode).toBe(200);
      expect(response.complete).toBe(true);
      expect(body.equals(ANSWER)).toBe(true);
    },
  );

  test('http.request: a keep-alive agent uses one connection for many responses, each whole', async (context) => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    for (let asked = 0; asked < 5; asked += 1) {
      const request = http.request(front(context).url + ANSWER_PATH, { method: 'POST', agent });
      request.end(UPLOAD);
      const { body } = await bodyOf(request);
      ports.add(request.socket?.localPort);
      expect(body.equals(ANSWER)).toBe(true);
    }
    agent.destroy();
    expect(ports.size).toBe(1);
  });

  test('http.request: a POST that waits for 100 Continue is told to go on', async (context) => {
    const headers = { Expect: '100-continue', 'Content-Length': UPLOAD.length };
    const request = http.request(`${front(context).url}/echo`, { method: 'POST', agent: false, headers });
    request.flushHeaders();
    await once(request, 'continue');
    request.end(UPLOAD);
    const { body } = await bodyOf(request);
    expect(JSON.parse(body.toString())).toEqual(UPLOAD_ECHO);
  });

  test('fetch: a GET and a chunked POST get 5 MB whole', async (context) => {
    const url = front(context).url + ANSWER_PATH;
    const requests = [{}, { method: 'POST', body: uploadStream(), duplex: 'half' }] as const;
    for (const request of requests) {
      const response = await fetch(url, request);
      expect(response.status).toBe(200);
      expect(Buffer.from(await response.arrayBuffer()).equals(ANSWER)).toBe(true);
    }
  });

  test('fetch: a chunked body reaches the view whole', async (context) => {
    const request = { method: 'POST', body: uploadStream(), duplex: 'half' } as const;
    const response = await fetch(`${front(context).url}/echo`, request);
    expect(await response.json()).toEqual(UPLOAD_ECHO);
  });

  test('the server sees a length instead of chunks, keep-alive instead of close, and the host as the client wrote it', async (context) => {
    const { url, port } = front(context);
    const headers = {
      Connection: 'close',
      'Transfer-Encoding': 'chunked',
      Host: 'shop.example:81',
      'X-Own': 'a',
    };
    const request = http.request(`${url}/headers`, { method: 'POST', agent: false, headers });
    request.end(UPLOAD);
    const { body } = await bodyOf(request);
    const pairs: readonly (readonly [string, string])[] = JSON.parse(body.toString());
    const seen = new Map(pairs.map(([field, value]) => [field.toLowerCase(), value]));
    expect(seen.get('content-length')).toBe(String(UPLOAD.length));
    expect(seen.has('transfer-encoding')).toBe(false);
    expect(seen.get('connection')).toBe('keep-alive');
    expect(seen.get('host')).toBe('shop.example:81');
    expect(seen.get('x-own')).toBe('a');
    expect(seen.get('x-forwarded-for')).toBe('127.0.0.1');
    expect(seen.get('x-forwarded-host')).toBe('shop.example:81');
    expect(seen.get('x-forwarded-proto')).toBe('http');
    expect(port).toBeGreaterThan(0);
  });

  test('a bare HTTP/1.0 request without a Host gets 5 MB whole, by its length, then FIN', async (context) => {
    const bytes = await readToFin(front(context).port, `GET ${ANSWER_PATH} HTTP/1.0\r\n\r\n`, false);
    expect(bytes.subarray(0, 15).toString()).toMatch(/^HTTP\/1\.[01] 200 /);
    expect(bodyAfterHead(bytes).equals(ANSWER)).toBe(true);
  });

  test('a client that half-closes right after its request gets its whole response', async (context) => {
    const request = `GET ${ANSWER_PATH} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    const bytes = await readToFin(front(context).port, request, true);
    expect(bodyAfterHead(bytes).equals(ANSWER)).toBe(true);
  });
});
