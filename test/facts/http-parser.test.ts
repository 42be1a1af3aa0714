/** What Node's parsers take, refuse and count, with nothing of our own: the reasons for our own checks. */

import { once } from 'node:events';
import { Agent, createServer, get, IncomingMessage, ServerResponse } from 'node:http';
import type { Server, ServerOptions } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { Bare, signal } from '../harness/bare.ts';
import { Client } from '../harness/client.ts';
import { Upstream, answering } from '../harness/upstream.ts';

/** What came of the bytes: a version, a target and how many fields, or the code of the `clientError`. */
async function verdict(bytes: string, options: ServerOptions = {}): Promise<string> {
  const told = signal<string>();
  const server: Server = createServer(options, (request, response) => {
    told.resolve(`${request.httpVersion} ${request.url ?? ''} ${request.rawHeaders.length / 2}`);
    response.end();
  });
  server.maxHeadersCount = 0;
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    told.resolve(error.code ?? '');
    socket.destroy();
  });
  await using bare = await Bare.start(server);
  using client = await Client.connect(bare.port);
  await client.send(bytes);
  return await told.promise;
}

describe("Node's request parser", () => {
  test.each([
    ['GET /a HTTP/2.0\r\nHost: x\r\n\r\n', '2.0 /a 1'],
    ['GET /a HTTP/0.9\r\nHost: x\r\n\r\n', '0.9 /a 1'],
    ['GET /a\r\nHost: x\r\n\r\n', '0.9 /a 1'],
    ['GET /a RTSP/1.0\r\nHost: x\r\n\r\n', '1.0 /a 1'],
    ['SOURCE /a ICE/1.0\r\nHost: x\r\n\r\n', '1.0 /a 1'],
  ])('takes %j for a request', async (bytes, told) => {
    expect(await verdict(bytes)).toBe(told);
  });

  test.each(['/caf\xc3\xa9', '/?q=caf\xc3\xa9', '/\xff'])(
    'refuses the target %j: bytes beyond ASCII are not encoded',
    async (target) => {
      expect(await verdict(`GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`)).toBe('HPE_INVALID_URL');
    },
  );

  test('counts names and values of a head, but neither colons nor line ends nor white space', async () => {
    const limit = { maxHeaderSize: 10_000 };
    expect(await verdict(`GET / HTTP/1.1\r\nHost: x\r\n${'a:b\r\n'.repeat(4_900)}\r\n`, limit)).toBe(
      '1.1 / 4901',
    );
    expect(await verdict(`GET / HTTP/1.1\r\nHost: x\r\n${'a:b\r\n'.repeat(5_100)}\r\n`, limit)).toBe(
      'HPE_HEADER_OVERFLOW',
    );
    const spaces = ' '.repeat(50_000);
    expect(await verdict(`\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nA:${spaces}b\r\n\r\n`, limit)).toBe('1.1 / 2');
  });
});

test("a request without Host is answered by Node's http.Server itself, in chunks, unless requireHostHeader is false", async () => {
  let asked = 0;
  const server = createServer(() => {
    asked += 1;
  });
  await using bare = await Bare.start(server);
  using client = await Client.connect(bare.port);
  await client.send('GET /a HTTP/1.1\r\n\r\n');
  await client.until('0\r\n\r\n');
  expect(client.left.toString()).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n[^]*Transfer-Encoding: chunked/);
  expect(asked).toBe(0);
  expect(await verdict('GET /a HTTP/1.1\r\n\r\n', { requireHostHeader: false })).toBe('1.1 /a 0');
});

test('pipelined requests are parsed ahead of their responses without bound', async () => {
  let asked = 0;
  const all = signal<void>();
  const server = createServer(() => {
    asked += 1;
    if (asked === 10_000) all.resolve();
  });
  await using bare = await Bare.start(server);
  using client = await Client.connect(bare.port);
  await client.send('GET /a HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(10_000));
  await all.promise;
  expect(client.left.length).toBe(0);
});

test.each(['HTTP/1.1 200 a\x0bb', 'HTTP/1.1 099 x'])(
  "Node's http client takes the status line %j, and writeHead throws at what it made of it",
  async (line) => {
    await using upstream = await Upstream.start(answering(`${line}\r\nContent-Length: 0\r\n\r\n`));
    const [incoming]: IncomingMessage[] = await once(get(upstream.url, { agent: new Agent() }), 'response');
    const { statusCode = 0, statusMessage = '' } = incoming ?? {};
    incoming?.resume();
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    expect(() => response.writeHead(statusCode, statusMessage)).toThrow(/Invalid/);
  },
);
