/** What is passed on without buffering keeps the same limits and clocks as all else, and says as much when it fails. */

import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { Client, valueOf } from '../harness/client.ts';
import { need, whyNotLinux } from '../harness/need.ts';
import { TestProxy } from '../harness/proxy.ts';
import { Upstream, answering, ok } from '../harness/upstream.ts';
import type { UpstreamConnection } from '../harness/upstream.ts';

const EXEMPT = 'GET /exempt/ HTTP/1.1\r\nHost: x\r\n\r\n';
const EVENTS = 'GET /events HTTP/1.1\r\nHost: x\r\n\r\n';
const UPGRADE = 'GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const STREAM = { stream: ['/exempt/'], lingerTimeout: 20 };

/** Sends the same bytes until the peer ends the connection. */
async function endlessly(connection: UpstreamConnection, bytes: string): Promise<void> {
  while (!connection.socket.destroyed && connection.ended === null) await connection.send(bytes);
}

/** A port where nobody listens. */
async function nobody(): Promise<string> {
  await using gone = await Upstream.start(answering(ok('')));
  return gone.url;
}

describe.each([
  ['on an exempted path', EXEMPT],
  ['for an upgrade', UPGRADE],
])('a request %s', (_name, request) => {
  test('that is responded to with endless interim responses is refused with 502, whoever reads them', async () => {
    const hints = `HTTP/1.1 103 Early Hints\r\nLink: </${'a'.repeat(1000)}>\r\n\r\n`.repeat(16);
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await endlessly(connection, hints);
    });
    await using proxy = await TestProxy.start(upstream.url, STREAM);
    using client = await Client.connect(proxy.port);
    client.socket.pause();
    await client.send(request);
    const record = await proxy.record();
    expect([record.error, record.status, record.outcome]).toEqual([
      'response_head_too_large',
      502,
      'refused',
    ]);
    await upstream.connections[0]?.peerEnd();
    client.socket.resume();
    await client.until('HTTP/1.1 502 ');
    // No more than --max-header of them went on.
    expect(client.left.indexOf('HTTP/1.1 502 ')).toBeLessThan(64 * 1024);
  });

  test('whose response has too large a head is refused as such', async () => {
    await using upstream = await Upstream.start(answering(ok('a', `X-A: ${'a'.repeat(20_000)}\r\n`)));
    await using proxy = await TestProxy.start(upstream.url, { ...STREAM, maxHeader: '16kb' });
    using client = await Client.connect(proxy.port);
    await client.send(request);
    expect((await client.response()).status).toBe(502);
    expect((await proxy.record()).error).toBe('response_head_too_large');
  });

  test('whose client leaves while it waits for the upstream is abandoned, not refused', async () => {
    await using proxy = await TestProxy.start(await nobody(), { ...STREAM, waitForUpstream: '20s' });
    const begun = once(proxy.proxy, 'begun');
    using client = await Client.connect(proxy.port);
    await client.send(request);
    await begun;
    client.socket.resetAndDestroy();
    const record = await proxy.record();
    expect([record.outcome, record.error, record.status]).toEqual(['abandoned', null, 0]);
  });
});

test('a switch of protocols that nobody asked for is refused with 502 on an exempted path, too', async () => {
  await using upstream = await Upstream.start(
    answering('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n'),
  );
  await using proxy = await TestProxy.start(upstream.url, STREAM);
  using client = await Client.connect(proxy.port);
  await client.send(EXEMPT);
  expect((await client.response()).status).toBe(502);
  await upstream.connections[0]?.peerEnd();
  expect((await proxy.record()).error).toBe('response_malformed');
});

test('an upgrade whose switch comes in one packet with too many interim responses is not joined', async () => {
  const hints = `HTTP/1.1 103 Early Hints\r\nLink: </${'a'.repeat(1000)}>\r\n\r\n`.repeat(5);
  const switched = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
  await using upstream = await Upstream.start(answering(`${hints}${switched}hello`));
  await using proxy = await TestProxy.start(upstream.url, { ...STREAM, maxHeader: '4kb' });
  using client = await Client.connect(proxy.port);
  await client.send(UPGRADE);
  await client.until('HTTP/1.1 502 ');
  client.halfClose();
  expect(await client.end()).toBe('fin');
  expect(client.left.includes('HTTP/1.1 101 ')).toBe(false);
  const record = await proxy.record();
  expect([record.outcome, record.error]).toEqual(['refused', 'response_head_too_large']);
});

describe.each([
  ['on an exempted path', EXEMPT],
  ['for an upgrade', UPGRADE],
])('the response to a request %s', (_name, request) => {
  test.each(['', 'X-A: b\r\n', 'Connection: Upgrade\r\n', 'Upgrade: foo\r\n'])(
    'that is a 101 without both of its fields (%j) is refused with 502',
    async (fields) => {
      await using upstream = await Upstream.start(answering(`HTTP/1.1 101 S\r\n${fields}\r\n`));
      await using proxy = await TestProxy.start(upstream.url, STREAM);
      using client = await Client.connect(proxy.port);
      await client.send(request);
      expect((await client.response()).status).toBe(502);
      await upstream.connections[0]?.peerEnd();
      expect((await proxy.record()).error).toBe('response_malformed');
    },
  );

  test('that comes in one packet with too many interim ones is refused with 502', async () => {
    const hints = `HTTP/1.1 103 Early Hints\r\nLink: </${'a'.repeat(1000)}>\r\n\r\n`.repeat(5);
    await using upstream = await Upstream.start(answering(hints + ok('hello')));
    await using proxy = await TestProxy.start(upstream.url, { ...STREAM, maxHeader: '4kb' });
    using client = await Client.connect(proxy.port);
    await client.send(request);
    await client.until('HTTP/1.1 502 ');
    expect((await proxy.record()).error).toBe('response_head_too_large');
  });

  test.each([
    ['HTTP/1.1 204 No\r\n\r\nhello', 204, ''],
    ['HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\nhello', 304, ''],
    [`${ok('hello')}world`, 200, 'hello'],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nworld', 200, 'hello'],
  ])('is delivered although more stands after it: %j', async (response, status, body) => {
    await using upstream = await Upstream.start(answering(response));
    await using proxy = await TestProxy.start(upstream.url, STREAM);
    using client = await Client.connect(proxy.port);
    await client.send(request);
    const record = await proxy.record();
    await upstream.connections[0]?.peerEnd();
    client.halfClose();
    expect(await client.end()).toBe('fin');
    const got = client.left.toString();
    expect([got.slice(0, 13), got.includes('hello')]).toEqual([`HTTP/1.1 ${status} `, body !== '']);
    expect(got).not.toContain('world');
    expect([record.verdict, record.responseBytes]).toEqual(['complete', body.length]);
  });
});

test('a response to HEAD is delivered on an exempted path although a body stands after it', async () => {
  await using upstream = await Upstream.start(answering(ok('hello')));
  await using proxy = await TestProxy.start(upstream.url, STREAM);
  using client = await Client.connect(proxy.port);
  await client.send(EXEMPT.replace('GET', 'HEAD').replace('Host: x', 'Host: x\r\nConnection: close'));
  expect(await client.end()).toBe('fin');
  expect(client.left.toString().startsWith('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n')).toBe(true);
  expect((await proxy.record()).outcome).toBe('relayed');
});

describe('the page that refuses a request on an exempted path', () => {
  test.each(['Accept', 'accept', 'ACCEPT'])('is HTML for a browser that writes %s', async (field) => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      connection.reset();
    });
    await using proxy = await TestProxy.start(upstream.url, STREAM);
    using client = await Client.connect(proxy.port);
    await client.send(`GET /exempt/ HTTP/1.1\r\nHost: x\r\n${field}: text/html\r\n\r\n`);
    const response = await client.response();
    expect([response.status, valueOf(response.fields, 'content-type')]).toEqual([
      502,
      'text/html; charset=utf-8',
    ]);
    expect(upstream.requests[0]?.fields.slice(2, 4)).toEqual([field, 'text/html']);
  });
});

describe('the response that refuses an upgrade', () => {
  test('and stalls is refused with 504', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send('HTTP/1.1 401 Unauthorized\r\nContent-Length: 10\r\n\r\nabc');
    });
    await using proxy = await TestProxy.start(upstream.url, { lingerTimeout: 20, bodyIdleTimeout: 100 });
    using client = await Client.connect(proxy.port);
    await client.send(UPGRADE);
    const response = await client.response();
    expect(response.status).toBe(504);
    expect(JSON.parse(response.body.toString())).toMatchObject({ received: 3, expected: 10, end: 'timeout' });
    expect(await client.end()).toBe('fin');
    await upstream.connections[0]?.peerEnd();
    const record = await proxy.record();
    expect([record.error, record.verdict]).toEqual(['response_stalled', 'truncated']);
  });

  test.each([
    ['announced', `Content-Length: 2000000\r\n\r\n${'a'.repeat(2000)}`],
    ['endless', '\r\n'],
  ])('and is too large is refused with 502 and closed cleanly: %s', async (_name, rest) => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send(`HTTP/1.1 401 Unauthorized\r\n${rest}`);
      await endlessly(connection, 'a'.repeat(64 * 1024));
    });
    await using proxy = await TestProxy.start(upstream.url, { lingerTimeout: 20, maxResponseBody: '1mb' });
    using client = await Client.connect(proxy.port);
    await client.send(UPGRADE);
    const response = await client.response();
    expect(response.status).toBe(502);
    expect(response.body.toString()).toContain('--max-response-body');
    expect(await client.end()).toBe('fin');
    await upstream.connections[0]?.peerEnd();
    const record = await proxy.record();
    expect([record.error, record.verdict]).toEqual(['response_too_large', 'over-limit']);
    expect(record.attempts[0]?.evidence.bodyBytes).toBeLessThan(2_000_000);
  });

  test('is freed when its client leaves', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send('HTTP/1.1 401 Unauthorized\r\nContent-Length: 10\r\n\r\nabc');
    });
    await using proxy = await TestProxy.start(upstream.url, { bodyIdleTimeout: '20s' });
    using client = await Client.connect(proxy.port);
    await client.send(UPGRADE);
    while (upstream.requests.length === 0) await turn();
    client.socket.resetAndDestroy();
    await upstream.connections[0]?.peerEnd();
    expect((await proxy.record()).outcome).toBe('abandoned');
  });

  test('is explained as a page to a browser', async () => {
    await using proxy = await TestProxy.start(await nobody(), { lingerTimeout: 20 });
    using client = await Client.connect(proxy.port);
    await client.send(UPGRADE.replace('Host', 'Accept: text/html\r\nHost'));
    expect(valueOf((await client.response()).fields, 'content-type')).toContain('text/html');
  });
});

describe('--client-receive-timeout', () => {
  const piece = Buffer.alloc(256 * 1024, 'x');

  test.each([
    ['a stream', EVENTS, 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n'],
    ['a response on an exempted path', EXEMPT, 'HTTP/1.1 200 OK\r\n\r\n'],
    ['a response to an upgrade', UPGRADE, `HTTP/1.1 403 No\r\nContent-Length: ${80 * piece.length}\r\n\r\n`],
  ])('ends %s to a client that reads nothing, and its upstream', async (_name, request, head) => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send(head);
      for (let sent = 0; sent < 80 && !connection.socket.destroyed; sent += 1) await connection.send(piece);
    });
    await using proxy = await TestProxy.start(upstream.url, { ...STREAM, clientReceiveTimeout: 200 });
    using client = await Client.connect(proxy.port);
    client.socket.pause();
    await client.send(request);
    const record = await proxy.record();
    expect([record.outcome, record.sentence]).toEqual([
      'abandoned',
      expect.stringContaining('--client-receive-timeout'),
    ]);
    await upstream.connections[0]?.peerEnd();
    client.socket.resume();
    expect(await client.end()).toBe('reset');
  });

  test.each([
    ['a stream', EVENTS, 'Content-Type: text/event-stream\r\n'],
    ['a response on an exempted path', EXEMPT, ''],
  ])('lets %s be that is only quiet', async (_name, request, field) => {
    let next: () => void = () => undefined;
    const quiet = new Promise<void>((resolve) => {
      next = resolve;
    });
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send(`HTTP/1.1 200 OK\r\n${field}\r\n`);
      await connection.send('x'.repeat(1_000_000));
      await connection.send('first;');
      await quiet;
      await connection.send('second;');
      connection.fin();
    });
    await using proxy = await TestProxy.start(upstream.url, { ...STREAM, clientReceiveTimeout: 50 });
    using client = await Client.connect(proxy.port);
    const clock = setTimeout(next, 300);
    await client.send(request);
    await client.until('first;');
    await client.until('second;');
    clearTimeout(clock);
    expect((await proxy.record()).outcome).toBe('relayed');
  });
});

describe('an upgrade whose client closes its side right after its head', () => {
  test('is joined: the client gets what comes, and the upstream what the client had sent', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\nhello;',
      );
      await connection.peerEnd();
      await connection.send('goodbye');
      connection.fin();
    });
    await using proxy = await TestProxy.start(upstream.url);
    using client = await Client.connect(proxy.port);
    client.socket.end(`${UPGRADE}early`);
    await client.until('hello;');
    await client.until('goodbye');
    expect(await client.end()).toBe('fin');
    const record = await proxy.record();
    expect([record.outcome, record.status]).toEqual(['upgraded', 101]);
    expect(upstream.connections[0]?.received.toString().endsWith('\r\n\r\nearly')).toBe(true);
  });

  test('gets the response that refuses it', async () => {
    await using upstream = await Upstream.start(answering('HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno'));
    await using proxy = await TestProxy.start(upstream.url);
    using client = await Client.connect(proxy.port);
    client.socket.end(UPGRADE);
    const response = await client.response();
    expect([response.status, response.body.toString()]).toEqual([403, 'no']);
    expect(await client.end()).toBe('fin');
  });
});

/** The descriptors of sockets of this process. */
function sockets(): number {
  return readdirSync('/proc/self/fd').length;
}

test('nothing is left open by any of the above', async (context) => {
  need(context, whyNotLinux());
  await using upstream = await Upstream.start(async (connection) => {
    await connection.request();
    await connection.send('HTTP/1.1 401 Unauthorized\r\nContent-Length: 10\r\n\r\nabc');
  });
  await using proxy = await TestProxy.start(upstream.url, { lingerTimeout: 20, bodyIdleTimeout: 50 });
  const before = sockets();
  for (let index = 0; index < 20; index += 1) {
    using client = await Client.connect(proxy.port);
    await client.send(UPGRADE);
    await client.response();
    client.halfClose();
    await client.end();
    if (!client.socket.closed) await once(client.socket, 'close');
  }
  for (const { socket } of upstream.connections) socket.destroy();
  await expect.poll(sockets).toBeLessThanOrEqual(before);
});
