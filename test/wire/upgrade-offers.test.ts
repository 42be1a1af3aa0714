/** Offers of an upgrade that a server ignores (RFC 9110 section 7.8): the request is served as if they were not there. */

import { describe, expect, test } from 'vitest';
import type { ProxyOptions } from '../../src/index.ts';
import { turns } from '../harness/bare.ts';
import { Client, valueOf } from '../harness/client.ts';
import { TestProxy } from '../harness/proxy.ts';
import { Upstream, ok } from '../harness/upstream.ts';
import type { UpstreamConnection } from '../harness/upstream.ts';

const OFFER =
  'Host: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAA\r\n';
const GET = `GET /offer HTTP/1.1\r\n${OFFER}\r\n`;
const POST = `POST /offer HTTP/1.1\r\n${OFFER}Content-Length: 5\r\n\r\nhello`;
const CHUNKED = `POST /offer HTTP/1.1\r\n${OFFER}Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n`;
const NEXT = 'GET /next HTTP/1.1\r\nHost: x\r\n\r\n';

/** Answers with the method, the target and the body of each request, and with whatever is left of an offer. */
async function echo(connection: UpstreamConnection): Promise<void> {
  for (;;) {
    const request = await connection.request();
    if (request === null) break;
    const { method, target, fields } = request;
    const body =
      valueOf(fields, 'transfer-encoding') === undefined
        ? await connection.body(Number(valueOf(fields, 'content-length') ?? 0))
        : await chunks(connection);
    const left = ['upgrade', 'http2-settings'].filter((name) => valueOf(fields, name) !== undefined);
    await connection.send(ok([method, target, body?.toString(), ...left].join(' ')));
  }
  connection.fin();
}

/** A body in chunks, as a path of --stream passes it on. */
async function chunks(connection: UpstreamConnection): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (;;) {
    const digits = await connection.body(1);
    await connection.body(2);
    const part = await connection.body(Number(digits));
    await connection.body(2);
    if (part === null || part.length === 0) return Buffer.concat(parts);
    parts.push(part);
  }
}

/** The bodies of as many responses on one connection. */
async function bodies(client: Client, count: number): Promise<string[]> {
  const all: string[] = [];
  while (all.length < count) {
    const { status, body } = await client.response();
    if (status !== 100) all.push(status === 200 ? body.toString() : String(status));
  }
  return all;
}

describe.each<[name: string, options: ProxyOptions]>([
  ['buffered', { withholdBody: 'off' }],
  ['on a path of --stream', { stream: ['/'] }],
])('an offer of h2c, %s,', (_name, options) => {
  test.each([
    ['GET', GET, 'GET /offer '],
    ['POST with a length', POST, 'POST /offer hello'],
    ['POST in chunks', CHUNKED, 'POST /offer hello'],
  ])('is ignored: %s, and what follows it in the same packet', async (_method, offer, seen) => {
    await using upstream = await Upstream.start(echo);
    await using proxy = await TestProxy.start(upstream.url, options);
    using client = await Client.connect(proxy.port);
    await client.send(offer + NEXT + offer + offer);
    expect(await bodies(client, 4)).toEqual([seen, 'GET /next ', seen, seen]);
    await client.send(NEXT);
    expect(await bodies(client, 1)).toEqual(['GET /next ']);
    client.halfClose();
    expect(await client.end()).toBe('fin');
  });

  test('is ignored when it waits for 100 (Continue)', async () => {
    await using upstream = await Upstream.start(echo);
    await using proxy = await TestProxy.start(upstream.url, options);
    using client = await Client.connect(proxy.port);
    await client.send(`POST /offer HTTP/1.1\r\n${OFFER}Content-Length: 5\r\nExpect: 100-continue\r\n\r\n`);
    expect((await client.response()).status).toBe(100);
    await client.send(`hello${NEXT}`);
    expect(await bodies(client, 2)).toEqual(['POST /offer hello', 'GET /next ']);
    client.halfClose();
    expect(await client.end()).toBe('fin');
  });

  test('is ignored when the client closes its side with it', async () => {
    await using upstream = await Upstream.start(echo);
    await using proxy = await TestProxy.start(upstream.url, options);
    using client = await Client.connect(proxy.port);
    await client.send(POST);
    client.halfClose();
    expect(await bodies(client, 1)).toEqual(['POST /offer hello']);
    expect(await client.end()).toBe('fin');
  });

  test('is ignored wherever its bytes are split', async () => {
    await using upstream = await Upstream.start(echo);
    await using proxy = await TestProxy.start(upstream.url, options);
    using client = await Client.connect(proxy.port);
    const all = CHUNKED + NEXT;
    for (let at = 1; at < all.length; at += 1) {
      await client.send(all.slice(0, at));
      await turns(2);
      await client.send(all.slice(at));
      expect(await bodies(client, 2), `split at ${at}`).toEqual(['POST /offer hello', 'GET /next ']);
    }
  });

  test('is ignored when its bytes come one at a time', async () => {
    await using upstream = await Upstream.start(echo);
    await using proxy = await TestProxy.start(upstream.url, options);
    using client = await Client.connect(proxy.port);
    for (const byte of CHUNKED + NEXT) {
      await client.send(byte);
      await turns(1);
    }
    expect(await bodies(client, 2)).toEqual(['POST /offer hello', 'GET /next ']);
  });
});

describe('an offer that is ignored', () => {
  test('waits for its turn after a response that is still due', async () => {
    await using upstream = await Upstream.start(echo);
    await using proxy = await TestProxy.start(upstream.url, { withholdBody: 'off' });
    using client = await Client.connect(proxy.port);
    await client.send(`${NEXT}${POST}${NEXT}`);
    client.halfClose();
    expect(await bodies(client, 3)).toEqual(['GET /next ', 'POST /offer hello', 'GET /next ']);
    expect(await client.end()).toBe('fin');
  });

  test('two hundred times on one connection leaves nothing on it', async () => {
    const warnings: string[] = [];
    const warn = (warning: Error): void => void warnings.push(warning.message);
    process.on('warning', warn);
    await using upstream = await Upstream.start(echo);
    await using proxy = await TestProxy.start(upstream.url);
    using client = await Client.connect(proxy.port);
    for (let count = 0; count < 200; count += 1) {
      await client.send(GET);
      expect(await bodies(client, 1)).toEqual(['GET /offer ']);
    }
    await turns();
    process.off('warning', warn);
    expect(warnings).toEqual([]);
  });

  test.each([
    ['broken chunks', `${CHUNKED.slice(0, CHUNKED.indexOf('2\r\nhe'))}zz\r\n`, 400],
    ['two lengths', `POST / HTTP/1.1\r\n${OFFER}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`, 400],
    ['a body that is too large', `POST / HTTP/1.1\r\n${OFFER}Content-Length: 9000\r\n\r\n`, 413],
    ['two Hosts', `GET / HTTP/1.1\r\n${OFFER}Host: y\r\n\r\n`, 400],
    ['an unknown coding', `POST / HTTP/1.1\r\n${OFFER}Transfer-Encoding: gzip, chunked\r\n\r\n`, 501],
  ])('does not make up for %s', async (_name, sentBytes, status) => {
    await using upstream = await Upstream.start(echo);
    await using proxy = await TestProxy.start(upstream.url, { maxRequestBody: 1000 });
    for (const before of ['', NEXT]) {
      using client = await Client.connect(proxy.port);
      await client.send(before + sentBytes);
      if (before !== '') expect(await bodies(client, 1)).toEqual(['GET /next ']);
      expect((await client.response()).status).toBe(status);
      client.halfClose();
      expect(await client.end()).toBe('fin');
    }
    expect(upstream.requests.every(({ target }) => target === '/next')).toBe(true);
  });

  test('keeps every byte of the other fields, in their order', async () => {
    await using upstream = await Upstream.start(echo);
    await using proxy = await TestProxy.start(upstream.url);
    using client = await Client.connect(proxy.port);
    await client.send(`GET /a?b HTTP/1.1\r\nX-oDD: caf\xe9\r\nx-odd: \xff,\r\n${OFFER}X-Empty:\r\n\r\n`);
    await client.response();
    expect(upstream.requests[0]?.fields.slice(0, 8)).toEqual([
      'X-oDD',
      'caf\xe9',
      'x-odd',
      '\xff,',
      'Host',
      'x',
      'X-Empty',
      '',
    ]);
  });

  test.each([
    ['another version of HTTP', 'HTTP/2.0'],
    ['h2c in capitals', 'H2C'],
    ['a draft of h2c', 'h2c-14'],
    ['nothing', ''],
  ])('asks for %s', async (_name, protocol) => {
    await using upstream = await Upstream.start(echo);
    await using proxy = await TestProxy.start(upstream.url);
    using client = await Client.connect(proxy.port);
    await client.send(
      `GET /a HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n${NEXT}`,
    );
    expect(await bodies(client, 2)).toEqual(['GET /a ', 'GET /next ']);
  });

  test('comes with HTTP/1.0, whatever it asks for', async () => {
    await using upstream = await Upstream.start(echo);
    await using proxy = await TestProxy.start(upstream.url);
    using client = await Client.connect(proxy.port);
    await client.send('GET /a HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    const response = await client.response();
    expect(response.body.toString()).toBe('GET /a ');
    expect(valueOf(response.fields, 'connection')).toBe('close');
  });
});

test.each(['websocket, h2c', 'h2c, websocket', 'h2c\r\nUpgrade: websocket'])(
  'of several protocols, %j, only those that can be passed on go upstream',
  async (protocols) => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send('HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhi;');
      await connection.peerEnd();
      connection.fin();
    });
    await using proxy = await TestProxy.start(upstream.url);
    using client = await Client.connect(proxy.port);
    await client.send(
      `GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AA\r\nUpgrade: ${protocols}\r\n\r\n`,
    );
    await client.until('hi;');
    const fields = upstream.requests[0]?.fields ?? [];
    expect(fields.filter((_value, index) => index % 2 === 1 && fields[index - 1] === 'Upgrade')).toEqual([
      'websocket',
    ]);
    expect(valueOf(fields, 'http2-settings')).toBeUndefined();
  },
);

describe('an upgrade with a body is served without the upgrade', () => {
  const asking = 'POST /offer HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n';

  test.each([
    ['a length', `${asking}Content-Length: 5\r\n\r\nhello`],
    ['chunks', `${asking}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`],
  ])('in %s', async (_name, sentBytes) => {
    await using upstream = await Upstream.start(echo);
    await using proxy = await TestProxy.start(upstream.url);
    using client = await Client.connect(proxy.port);
    const headEnd = sentBytes.indexOf('\r\n\r\n') + 4;
    await client.send(sentBytes.slice(0, headEnd));
    await turns();
    await client.send(sentBytes.slice(headEnd) + NEXT);
    expect(await bodies(client, 2)).toEqual(['POST /offer hello', 'GET /next ']);
  });

  test.each(['Content-Length: 10', 'Transfer-Encoding: chunked'])(
    'that never comes (%s): refused when the clock runs out, given up when the client leaves',
    async (framing) => {
      await using upstream = await Upstream.start(echo);
      await using proxy = await TestProxy.start(upstream.url, { clientSendTimeout: 100 });
      using patient = await Client.connect(proxy.port);
      await patient.send(`${asking}${framing}\r\n\r\n`);
      expect((await patient.response()).status).toBe(408);
      patient.halfClose();
      expect(await patient.end()).toBe('fin');
      using leaving = await Client.connect(proxy.port);
      await leaving.send(`${asking}${framing}\r\n\r\n`);
      await turns();
      leaving.socket.resetAndDestroy();
      expect((await proxy.record(1)).outcome).toBe('abandoned');
      expect(upstream.requests).toEqual([]);
    },
  );
});

test.each<[name: string, after: string, status: number]>([
  ['an offer', GET, 200],
  ['an upgrade', 'GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n', 200],
  ['a CONNECT', 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n', 405],
])('%s after a response that streams does not hold that response up', async (_name, after, status) => {
  const bytes = 20_000_000;
  await using upstream = await Upstream.start(async (connection) => {
    for (let one = await connection.request(); one !== null; one = await connection.request()) {
      const head = `HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nContent-Length: ${bytes}\r\n\r\n`;
      await connection.send(one.target === '/next' ? head : ok('one'));
      if (one.target === '/next') await connection.send(Buffer.alloc(bytes));
    }
    connection.fin();
  });
  await using proxy = await TestProxy.start(upstream.url);
  using client = await Client.connect(proxy.port);
  client.socket.pause();
  await client.send(NEXT + after);
  while (upstream.requests.length === 0) await turns(1);
  await turns();
  client.socket.resume();
  expect((await client.response()).body.length).toBe(bytes);
  expect((await client.response()).status).toBe(status);
  client.halfClose();
  expect(await client.end()).toBe('fin');
});

test.each([
  ['2.0', 505],
  ['0.9', 400],
])('an offer in a request of HTTP/%s does not make it one of HTTP/1.0', async (version, status) => {
  await using upstream = await Upstream.start(echo);
  await using proxy = await TestProxy.start(upstream.url, { lingerTimeout: 20 });
  using client = await Client.connect(proxy.port);
  await client.send(`GET /offer HTTP/${version}\r\n${OFFER}\r\n`);
  expect((await client.response()).status).toBe(status);
  expect(await client.end()).toBe('fin');
  expect(upstream.requests).toEqual([]);
});
