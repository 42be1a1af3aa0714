import { describe, expect, test } from 'vitest';
import { Client, valueOf } from '../harness/client.ts';
import { TestProxy } from '../harness/proxy.ts';
import { connectionsRested } from '../harness/rest.ts';
import { Upstream, answering, ok } from '../harness/upstream.ts';
import type { SeenRequest } from '../harness/upstream.ts';

const GET = 'GET /a HTTP/1.1\r\nHost: x\r\n\r\n';

function post(body: string, fields = '', path = '/form'): string {
  return `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n${fields}\r\n${body}`;
}

function seen(upstream: Upstream, index = 0): SeenRequest {
  const request = upstream.requests[index];
  if (request === undefined) throw new Error(`the upstream saw ${upstream.requests.length} requests`);
  return request;
}

describe('the request', () => {
  test('goes on with the case, the order and the duplicates of its fields', async () => {
    await using upstream = await Upstream.start(answering(ok('')));
    await using proxy = await TestProxy.start(upstream.url);
    using client = await Client.connect(proxy.port);
    await client.send(
      'GET /a?b=%7C|c//d HTTP/1.1\r\nX-oDD: 1\r\nHost: Example.test:99\r\nx-odd: 2\r\nACCEPT: a\r\nX-Odd: 1\r\n\r\n',
    );
    await client.response();
    const { target, fields } = seen(upstream);
    expect(target).toBe('/a?b=%7C|c//d');
    expect(fields.slice(0, 10)).toEqual([
      'X-oDD',
      '1',
      'Host',
      'Example.test:99',
      'x-odd',
      '2',
      'ACCEPT',
      'a',
      'X-Odd',
      '1',
    ]);
  });

  test('leaves what concerns the connection behind, and what Connection names', async () => {
    await using upstream = await Upstream.start(answering(ok('')));
    await using proxy = await TestProxy.start(upstream.url);
    using client = await Client.connect(proxy.port);
    const fields =
      'Connection: close, X-Private\r\nX-Private: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\nProxy-Connection: close\r\n';
    await client.send(`GET /a HTTP/1.1\r\nHost: x\r\n${fields}X-Public: 1\r\n\r\n`);
    await client.response();
    const names = seen(upstream).fields.filter((_field, index) => index % 2 === 0);
    expect(names).not.toContain('X-Private');
    expect(names).not.toContain('Keep-Alive');
    expect(names).not.toContain('TE');
    expect(names).not.toContain('Proxy-Connection');
    expect(names).toContain('X-Public');
    expect(valueOf(seen(upstream).fields, 'connection')).toBe('keep-alive');
  });

  test('tells where it came from, and does not believe a client that tells it too', async () => {
    await using upstream = await Upstream.start(answering(ok('')));
    await using proxy = await TestProxy.start(upstream.url);
    using client = await Client.connect(proxy.port);
    const port = client.socket.localPort;
    await client.send(
      'GET /a HTTP/1.1\r\nHost: me.test\r\nX-Forwarded-For: 9.9.9.9\r\nForwarded: for=9.9.9.9\r\n\r\n',
    );
    await client.response();
    const { fields } = seen(upstream);
    expect(valueOf(fields, 'x-forwarded-for')).toBe('127.0.0.1');
    expect(valueOf(fields, 'forwarded')).toBe(`for="127.0.0.1:${port}";host=me.test;proto=http`);
    expect(valueOf(fields, 'x-forwarded-host')).toBe('me.test');
    expect(valueOf(fields, 'x-forwarded-proto')).toBe('http');
    expect(valueOf(fields, 'x-forwarded-port')).toBe(String(proxy.port));
    expect(valueOf(fields, 'via')).toMatch(/^1\.1 lastbyte-[0-9a-f]{8}$/);
  });

  test('appends to what a trusted peer has told', async () => {
    await using upstream = await Upstream.start(answering(ok('')));
    await using proxy = await TestProxy.start(upstream.url, { trustProxy: ['127.0.0.0/8'] });
    using client = await Client.connect(proxy.port);
    await client.send(
      'GET /a HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Proto: https\r\n\r\n',
    );
    await client.response();
    expect(valueOf(seen(upstream).fields, 'x-forwarded-for')).toBe('9.9.9.9, 127.0.0.1');
    expect(valueOf(seen(upstream).fields, 'x-forwarded-proto')).toBe('https');
  });

  test('has its chunked body re-framed by its length', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request(11);
      await connection.send(ok('', 'Connection: close\r\n'));
    });
    await using proxy = await TestProxy.start(upstream.url, { bodyHold: 10 });
    using client = await Client.connect(proxy.port);
    await client.send(
      'POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nT: 1\r\n\r\n',
    );
    expect((await client.response()).status).toBe(200);
    const { fields } = seen(upstream);
    expect(valueOf(fields, 'content-length')).toBe('11');
    expect(valueOf(fields, 'transfer-encoding')).toBeUndefined();
    expect(upstream.connections[0]?.received.toString().endsWith('\r\n\r\nhello world')).toBe(true);
  });

  test('is answered 100 by us when it expects that, before the upstream hears of it', async () => {
    await using upstream = await Upstream.start(answering(ok('got it'), 3));
    await using proxy = await TestProxy.start(upstream.url, { bodyHold: 10 });
    using client = await Client.connect(proxy.port);
    await client.send('POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n');
    expect((await client.response()).status).toBe(100);
    expect(upstream.connections).toEqual([]);
    await client.send('abc');
    expect((await client.response()).body.toString()).toBe('got it');
  });

  test('that expects 100 and is too large is refused without it', async () => {
    await using upstream = await Upstream.start(answering(ok('')));
    await using proxy = await TestProxy.start(upstream.url, { maxRequestBody: 10 });
    using client = await Client.connect(proxy.port);
    await client.send('POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n');
    expect((await client.response()).status).toBe(413);
  });

  test('that comes round in a loop is refused', async () => {
    let via = '';
    await using upstream = await Upstream.start(async (connection) => {
      via = valueOf((await connection.request())?.fields ?? [], 'via') ?? '';
      await connection.send(ok(''));
      await connection.request();
    });
    await using proxy = await TestProxy.start(upstream.url);
    using client = await Client.connect(proxy.port);
    await client.send(GET);
    await client.response();
    await client.send(`GET /a HTTP/1.1\r\nHost: x\r\nVia: 1.0 other, ${via}\r\n\r\n`);
    expect((await client.response()).status).toBe(508);
  });

  test('in absolute form goes to the one upstream, under the Host that it names', async () => {
    await using upstream = await Upstream.start(answering(ok('')));
    await using proxy = await TestProxy.start(upstream.url);
    using client = await Client.connect(proxy.port);
    await client.send('GET http://other.test/p?q HTTP/1.1\r\nHost: x\r\n\r\n');
    await client.response();
    expect(seen(upstream).target).toBe('/p?q');
    expect(valueOf(seen(upstream).fields, 'host')).toBe('other.test');
  });
});

describe('the withheld body', () => {
  test('is never sent to an upstream that responds without it', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send(ok('no need', 'Connection: close\r\n'));
      connection.fin();
    });
    await using proxy = await TestProxy.start(upstream.url, { bodyHold: '60s', bodyHoldMax: '60s' });
    using client = await Client.connect(proxy.port);
    await client.send(post('abc'));
    expect((await client.response()).body.toString()).toBe('no need');
    expect((await proxy.record()).attempts[0]?.evidence.requestBody).toBe('withheld');
    await upstream.connections[0]?.peerEnd();
    expect(upstream.connections[0]?.received.toString().endsWith('\r\n\r\n')).toBe(true);
  });

  test('follows when the hold has passed in silence', async () => {
    await using upstream = await Upstream.start(answering(ok('read', 'Connection: close\r\n'), 3));
    await using proxy = await TestProxy.start(upstream.url, { bodyHold: 30 });
    using client = await Client.connect(proxy.port);
    await client.send(post('abc'));
    expect((await client.response()).body.toString()).toBe('read');
    expect((await proxy.record()).attempts[0]?.evidence.requestBody).toBe('whole');
  });

  test('a route that read its body is held no longer', async () => {
    await using upstream = await Upstream.start(answering(ok('read', 'Connection: close\r\n'), 3));
    await using proxy = await TestProxy.start(upstream.url, { bodyHold: 30, bodyHoldMax: '60s' });
    using client = await Client.connect(proxy.port);
    await client.send(post('abc'));
    await client.response();
    await client.send(post('abc'));
    await client.response();
    const [first, second] = [await proxy.record(0), await proxy.record(1)];
    expect(first.attempts[0]?.evidence.requestBody).toBe('whole');
    expect(second.attempts[0]?.evidence.requestBody).toBe('whole');
  });

  test('a route that was cut is held longer, so that the next response comes whole', async () => {
    await using upstream = await Upstream.start(async (connection, index) => {
      await connection.request();
      if (index === 0) {
        await connection.body(3);
        await connection.send('HTTP/1.0 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
        return connection.reset();
      }
      await connection.send('HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nwhole');
    });
    await using proxy = await TestProxy.start(upstream.url, { bodyHold: 10, bodyHoldMax: '60s' });
    using client = await Client.connect(proxy.port);
    await client.send(post('abc'));
    expect((await client.response()).status).toBe(502);
    await client.send(post('abc'));
    expect((await client.response()).body.toString()).toBe('whole');
    expect((await proxy.record(1)).attempts[0]?.evidence.requestBody).toBe('withheld');
  });

  test('is held toward an upstream that keeps its connections, until a route has shown that it reads', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      for (;;) {
        const request = await connection.request();
        if (request === null) return;
        await connection.send(ok('not read'));
        if (request.method === 'POST') return connection.reset();
      }
    });
    await using proxy = await TestProxy.start(upstream.url, { bodyHold: '5s' });
    using client = await Client.connect(proxy.port);
    await client.send(GET);
    await client.response();
    await client.send(post('abc'));
    expect((await client.response()).body.toString()).toBe('not read');
    expect((await proxy.record(1)).attempts[0]?.evidence.requestBody).toBe('withheld');
  });

  test('follows at last when the response has begun and waits for it', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nw');
      await connection.body(3);
      await connection.send('hole');
    });
    await using proxy = await TestProxy.start(upstream.url, {
      bodyHold: 10,
      bodyHoldMax: 50,
      bodyIdleTimeout: '20s',
    });
    using client = await Client.connect(proxy.port);
    await client.send(post('abc'));
    expect(await client.response()).toMatchObject({ status: 200, body: Buffer.from('whole') });
  });

  test('switched off, goes at once', async () => {
    await using upstream = await Upstream.start(answering(ok('read'), 3));
    await using proxy = await TestProxy.start(upstream.url, {
      bodyHold: '60s',
      bodyHoldMax: '60s',
      withholdBody: 'off',
    });
    using client = await Client.connect(proxy.port);
    await client.send(post('abc'));
    expect((await client.response()).body.toString()).toBe('read');
  });
});

describe('connections', () => {
  test('are kept for the next request that may be sent twice', async () => {
    await using upstream = await Upstream.start(answering(ok('a')));
    await using proxy = await TestProxy.start(upstream.url);
    using client = await Client.connect(proxy.port);
    for (let index = 0; index < 5; index += 1) {
      await client.send(GET);
      await client.response();
      await connectionsRested();
    }
    expect([upstream.connections.length, upstream.requests.length]).toEqual([1, 5]);
  });

  test('that carried a body are never used again, and no body goes out on a used one', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      for (;;) {
        const request = await connection.request();
        if (request === null) return;
        if (request.method === 'POST') await connection.body(3);
        await connection.send(ok('a'));
      }
    });
    await using proxy = await TestProxy.start(upstream.url, { bodyHold: 1 });
    using client = await Client.connect(proxy.port);
    for (const request of [GET, post('abc'), GET, post('abc'), GET]) {
      await client.send(request);
      await client.response();
      await connectionsRested();
    }
    const methods = upstream.connections.map(({ received }) =>
      received
        .toString()
        .match(/GET|POST/g)
        ?.join(' '),
    );
    expect(methods.sort()).toEqual(['GET GET GET', 'POST', 'POST']);
  });

  test('are not reused for a request without a body that must not be sent twice', async () => {
    await using upstream = await Upstream.start(answering(ok('a')));
    await using proxy = await TestProxy.start(upstream.url);
    using client = await Client.connect(proxy.port);
    for (const request of [GET, 'DELETE /a HTTP/1.1\r\nHost: x\r\n\r\n']) {
      await client.send(request);
      await client.response();
      await connectionsRested();
    }
    expect(upstream.connections.length).toBe(2);
  });

  test('rest for longer than Linux delays an acknowledgement, before they are used again', async () => {
    const agesMs: number[] = [];
    await using upstream = await Upstream.start(async (connection) => {
      let endedMs = -Infinity;
      while ((await connection.request()) !== null) {
        agesMs.push(performance.now() - endedMs);
        endedMs = performance.now();
        await connection.send(ok('a'));
      }
    });
    await using proxy = await TestProxy.start(upstream.url);
    using client = await Client.connect(proxy.port);
    for (let index = 0; index < 200; index += 1) {
      await client.send(GET);
      expect((await client.response()).body.toString()).toBe('a');
    }
    expect(Math.min(...agesMs)).toBeGreaterThan(40);
    expect(upstream.connections.length, 'they are used again').toBeLessThan(200);
  });

  test('that are idle give way to a new one that an upstream with a single thread has not accepted', async () => {
    let before: Promise<unknown> = Promise.resolve();
    await using upstream = await Upstream.start(async (connection) => {
      const turn = before;
      before = connection.peerEnd();
      await turn;
      while ((await connection.request()) !== null) await connection.send(ok('a'));
      connection.fin();
    });
    await using proxy = await TestProxy.start(upstream.url, {
      upstreamIdleTimeout: '1h',
      firstByteTimeout: '20s',
    });
    using client = await Client.connect(proxy.port);
    for (let index = 0; index < 3; index += 1) {
      await client.send(GET);
      expect((await client.response()).body.toString()).toBe('a');
    }
    expect(upstream.connections.length).toBe(3);
  });

  test('that went stale cost a safe request nothing', async () => {
    await using upstream = await Upstream.start(async (connection, index) => {
      await connection.request();
      await connection.send(ok(`connection ${index}`));
      if (index > 0) return;
      await connection.request();
      connection.reset();
    });
    await using proxy = await TestProxy.start(upstream.url, { retries: 0 });
    using client = await Client.connect(proxy.port);
    await client.send(GET);
    await client.response();
    await connectionsRested();
    await client.send(GET);
    expect((await client.response()).body.toString()).toBe('connection 1');
    expect((await proxy.record(1)).attempts.map((attempt) => attempt.reason)).toEqual([
      'first',
      'stale-connection',
    ]);
  });

  test('are closed at the first byte that nobody asked for', async () => {
    await using upstream = await Upstream.start(async (connection, index) => {
      await connection.request();
      await connection.send(ok(`answer ${index}`));
      if (index > 0) return;
      await connection.send(ok('stray'));
      await connection.peerEnd();
    });
    await using proxy = await TestProxy.start(upstream.url, { upstreamIdleTimeout: '1h' });
    using client = await Client.connect(proxy.port);
    await client.send(GET);
    expect((await client.response()).body.toString()).toBe('answer 0');
    await upstream.connections[0]?.peerEnd();
    await connectionsRested();
    await client.send(GET);
    expect((await client.response()).body.toString()).toBe('answer 1');
  });

  test('with bytes after the response are not used again', async () => {
    await using upstream = await Upstream.start(
      answering(`${ok('a')}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`),
    );
    await using proxy = await TestProxy.start(upstream.url);
    using client = await Client.connect(proxy.port);
    for (let index = 0; index < 3; index += 1) {
      await client.send(GET);
      expect((await client.response()).body.toString()).toBe('a');
      await connectionsRested();
    }
    expect(upstream.connections.length).toBe(3);
    expect((await proxy.record()).sentence).toContain('more than');
  });
});

describe('an upstream that takes no connections', () => {
  test('is waited for, and a POST is not lost', async () => {
    const gone = await Upstream.start(answering(ok('')));
    const { port, url } = gone;
    await gone[Symbol.asyncDispose]();
    await using proxy = await TestProxy.start(url, { waitForUpstream: '20s', bodyHold: 1 });
    using client = await Client.connect(proxy.port);
    await client.send(post('abc'));
    // By the time that our own attempts are refused, so is the proxy's.
    for (let index = 0; index < 3; index += 1)
      await expect(Client.connect(port)).rejects.toThrow('ECONNREFUSED');
    await using back = await Upstream.start(answering(ok('back'), 3), port);
    expect((await client.response()).body.toString()).toBe('back');
    expect(back.requests.length).toBe(1);
    const { attempts, waitedMs } = await proxy.record();
    expect(attempts.at(-1)?.reason).toBe('waited');
    expect(waitedMs).toBeGreaterThan(0);
  });

  test('is given up with 503 and Retry-After', async () => {
    const gone = await Upstream.start(answering(ok('')));
    const { url } = gone;
    await gone[Symbol.asyncDispose]();
    await using proxy = await TestProxy.start(url, { waitForUpstream: 120 });
    using client = await Client.connect(proxy.port);
    await client.send(GET);
    const response = await client.response();
    expect(response.status).toBe(503);
    expect(valueOf(response.fields, 'retry-after')).toBe('1');
    expect(valueOf(response.fields, 'proxy-status')).toContain('error=connection_refused');
    const { error, attempts } = await proxy.record();
    expect(error).toBe('upstream_refused');
    expect(attempts.length).toBeGreaterThan(1);
  });

  test('lets only so many wait', async () => {
    const gone = await Upstream.start(answering(ok('')));
    const { url } = gone;
    await gone[Symbol.asyncDispose]();
    await using proxy = await TestProxy.start(url, { waitForUpstream: 300, maxWaiting: 1 });
    using first = await Client.connect(proxy.port);
    using second = await Client.connect(proxy.port);
    await Promise.all([first.send(GET), second.send(GET)]);
    const responses = await Promise.all([first.response(), second.response()]);
    expect(responses.map((response) => response.status)).toEqual([503, 503]);
    const errors = [await proxy.record(0), await proxy.record(1)].map((record) => record.error);
    expect(errors.sort()).toEqual(['upstream_refused', 'waiting_room_full']);
  });
});

describe('the response', () => {
  test('comes with the case, the order and the duplicates of its fields, its reason, and one exact length', async () => {
    const response =
      'HTTP/1.1 200 Fine By Me\r\nX-b: 2\r\nSet-Cookie: a\r\nx-B: 3\r\nSet-Cookie: b\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: 1\r\n\r\n';
    await using upstream = await Upstream.start(answering(response));
    await using proxy = await TestProxy.start(upstream.url);
    using client = await Client.connect(proxy.port);
    await client.send(GET);
    const { reason, fields, body } = await client.response();
    expect(reason).toBe('Fine By Me');
    expect(fields.slice(0, 10)).toEqual([
      'X-b',
      '2',
      'Set-Cookie',
      'a',
      'x-B',
      '3',
      'Set-Cookie',
      'b',
      'Content-Length',
      '3',
    ]);
    expect(body.toString()).toBe('abc');
    expect((await proxy.record()).sentence).toContain('trailer');
  });

  test.each([
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n', '1000'],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 77\r\n\r\n', '77'],
    ['GET', 'HTTP/1.1 204 No Content\r\n\r\n', undefined],
  ])('%s answered by %j has no body', async (method, head, length) => {
    await using upstream = await Upstream.start(answering(head));
    await using proxy = await TestProxy.start(upstream.url);
    using client = await Client.connect(proxy.port);
    await client.send(`${method} /a HTTP/1.1\r\nHost: x\r\n\r\n`);
    expect(valueOf((await client.response(method)).fields, 'content-length')).toBe(length);
    await connectionsRested();
    await client.send(`${method} /a HTTP/1.1\r\nHost: x\r\n\r\n`);
    await client.response(method);
    expect(upstream.connections.length, 'the connection is kept').toBe(1);
  });

  test('103 goes on to the client, 100 does not', async () => {
    const interim =
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n';
    await using upstream = await Upstream.start(answering(`${interim}${ok('late')}`));
    await using proxy = await TestProxy.start(upstream.url);
    using client = await Client.connect(proxy.port);
    await client.send(GET);
    const hints = await client.response();
    expect([hints.status, ...hints.fields]).toEqual([103, 'Link', '</a.css>; rel=preload']);
    expect((await client.response()).body.toString()).toBe('late');
  });

  test('103 does not go to HTTP/1.0', async () => {
    await using upstream = await Upstream.start(answering(`HTTP/1.1 103 Early Hints\r\n\r\n${ok('late')}`));
    await using proxy = await TestProxy.start(upstream.url);
    using client = await Client.connect(proxy.port);
    await client.send('GET / HTTP/1.0\r\n\r\n');
    expect((await client.response()).body.toString()).toBe('late');
  });

  test('of an upstream that does not speak HTTP is refused at once', async () => {
    await using upstream = await Upstream.start((connection) => connection.send('SSH-2.0-OpenSSH_9.2\r\n'));
    await using proxy = await TestProxy.start(upstream.url, { retries: 0 });
    using client = await Client.connect(proxy.port);
    await client.send(GET);
    const response = await client.response();
    expect(response.status).toBe(502);
    expect(response.body.toString()).toContain('SSH-2');
  });

  test.each([
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nhello'],
    ['junk', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['broken chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
  ])('that is malformed for good is asked for twice, not three times: %s', async (_name, text) => {
    await using upstream = await Upstream.start(answering(text));
    await using proxy = await TestProxy.start(upstream.url);
    using client = await Client.connect(proxy.port);
    await client.send(GET);
    expect((await client.response()).status).toBe(502);
    expect(upstream.requests.length).toBe(2);
  });

  test('that is malformed twice, each time in its own way, is asked for a third time', async () => {
    await using upstream = await Upstream.start(async (connection, index) => {
      await connection.request();
      await connection.send(['HTTP/1.1 2000 x\r\n\r\n', 'HTTP/1.1 20 x\r\n\r\n'][index] ?? ok('at last'));
    });
    await using proxy = await TestProxy.start(upstream.url);
    using client = await Client.connect(proxy.port);
    await client.send(GET);
    expect((await client.response()).body.toString()).toBe('at last');
  });

  test('larger than it may be is refused by naming the option', async () => {
    await using upstream = await Upstream.start(answering(ok('x'.repeat(2000))));
    await using proxy = await TestProxy.start(upstream.url, { maxResponseBody: 1000 });
    using client = await Client.connect(proxy.port);
    await client.send(GET);
    const response = await client.response();
    expect(response.status).toBe(502);
    expect(response.body.toString()).toContain('--max-response-body');
  });

  test('too large for memory goes through a file, and comes whole', async () => {
    const body = Array.from({ length: 300_000 }, (_, index) => String(index)).join(' ');
    await using upstream = await Upstream.start(answering(ok(body)));
    await using proxy = await TestProxy.start(upstream.url, { memoryPerBody: '64kb' });
    using client = await Client.connect(proxy.port);
    await client.send(GET);
    expect((await client.response()).body.toString() === body).toBe(true);
  });
});

describe('a refusal', () => {
  test('is problem+json with the numbers for a program, and a page for a browser', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
      connection.fin();
    });
    await using proxy = await TestProxy.start(upstream.url);
    using client = await Client.connect(proxy.port);
    await client.send(GET);
    const refusal = await client.response();
    expect(refusal.status).toBe(502);
    expect(valueOf(refusal.fields, 'content-type')).toBe('application/problem+json');
    expect(valueOf(refusal.fields, 'proxy-status')).toContain('error=http_response_incomplete');
    expect(valueOf(refusal.fields, 'proxy-status')).toContain('received-status=200');
    const problem: unknown = JSON.parse(refusal.body.toString());
    expect(problem).toMatchObject({ status: 502, expected: 10, received: 4, end: 'FIN', attempts: 3 });
    const record = await proxy.record();
    expect(problem).toMatchObject({ detail: record.sentence });
    await client.send('GET /a HTTP/1.1\r\nHost: x\r\nAccept: text/html,*/*;q=0.8\r\n\r\n');
    const page = await client.response();
    expect(valueOf(page.fields, 'content-type')).toContain('text/html');
    expect(page.body.toString()).toContain('4 of 10 bytes');
  });
});
