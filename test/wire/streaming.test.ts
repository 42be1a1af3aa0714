import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Client, valueOf } from '../harness/client.ts';
import { TestProxy } from '../harness/proxy.ts';
import { Upstream, answering, ok } from '../harness/upstream.ts';
import type { Script } from '../harness/upstream.ts';

const GET = 'GET /events HTTP/1.1\r\nHost: x\r\n\r\n';

/** A stream whose second event comes only when the test lets it. */
function twoEvents(head: string): { readonly script: Script; readonly release: () => void } {
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  return {
    release,
    script: async (connection) => {
      await connection.request();
      await connection.send(`${head}\r\n\r\ndata: 1\n\n`);
      await released;
      await connection.send('data: 2\n\n');
      connection.fin();
    },
  };
}

describe.each([
  ['text/event-stream', 'Content-Type: text/event-stream; charset=utf-8'],
  ['multipart/x-mixed-replace', 'Content-Type: multipart/x-mixed-replace; boundary=x'],
  ['application/x-ndjson', 'Content-Type: application/x-ndjson'],
  ['multipart/mixed', 'Content-Type: multipart/mixed; boundary="-"'],
  ['application/jsonl', 'Content-Type: application/jsonl'],
  ['application/grpc', 'Content-Type: application/grpc+proto'],
  ['X-Accel-Buffering', 'X-Accel-Buffering: no'],
  ['a type that the user named', 'Content-Type: text/x-log'],
])('a stream known by %s', (_name, field) => {
  test('has its first event relayed at once, and ends when the upstream ends it', async () => {
    const { script, release } = twoEvents(`HTTP/1.1 200 OK\r\n${field}`);
    await using upstream = await Upstream.start(script);
    await using proxy = await TestProxy.start(upstream.url, { stream: ['text/x-log'] });
    using client = await Client.connect(proxy.port);
    await client.send(GET);
    await client.until('data: 1');
    expect(client.left.toString()).not.toContain('data: 2');
    release();
    await client.until('data: 2\n\n\r\n0\r\n\r\n');
    expect((await proxy.record()).outcome).toBe('relayed');
  });
});

describe.each([
  ['a relayed response', '/a', 'Content-Type: text/event-stream\r\n'],
  ['a path that the user exempted', '/exempt/a', ''],
])('%s', (_name, path, field) => {
  const request = `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
  const oldRequest = `GET ${path} HTTP/1.0\r\n\r\n`;

  test.each(['fin', 'rst'] as const)(
    'that is cut by %s before its length never ends cleanly',
    async (ending) => {
      await using upstream = await Upstream.start(async (connection) => {
        await connection.request();
        await connection.send(`HTTP/1.1 200 OK\r\n${field}Content-Length: 10\r\n\r\nhalf`);
        if (ending === 'fin') connection.fin();
        else connection.reset();
      });
      await using proxy = await TestProxy.start(upstream.url, { stream: ['/exempt/'] });
      using client = await Client.connect(proxy.port);
      await client.send(request);
      expect(await client.end()).toBe('reset');
      const record = await proxy.record();
      expect([record.outcome, record.error]).toEqual(['cut', 'response_truncated']);
    },
  );

  test.each(['fin', 'rst'] as const)('in chunks that is cut by %s has no last chunk', async (ending) => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send(`HTTP/1.1 200 OK\r\n${field}Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n`);
      if (ending === 'fin') connection.fin();
      else connection.reset();
    });
    await using proxy = await TestProxy.start(upstream.url, { stream: ['/exempt/'] });
    using client = await Client.connect(proxy.port);
    await client.send(request);
    expect(await client.end()).toBe('reset');
    expect(client.left.toString()).not.toContain('0\r\n\r\n');
  });

  test('that is read until close and reset never ends cleanly, in none of 25 attempts', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      connection.socket.write(`HTTP/1.1 200 OK\r\n${field}\r\nhalf`);
      connection.reset();
    });
    await using proxy = await TestProxy.start(upstream.url, { stream: ['/exempt/'], retries: 0 });
    for (let index = 0; index < 25; index += 1) {
      using client = await Client.connect(proxy.port);
      await client.send(oldRequest);
      await client.end();
      const text = client.left.toString('latin1');
      expect(client.ended === 'reset' || / 502 /.test(text), text).toBe(true);
    }
  });

  test('that is read until close and ended by FIN ends cleanly', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send(`HTTP/1.0 200 OK\r\n${field}\r\nwhole`);
      connection.fin();
    });
    await using proxy = await TestProxy.start(upstream.url, { stream: ['/exempt/'] });
    using client = await Client.connect(proxy.port);
    await client.send(request);
    await client.until('5\r\nwhole\r\n0\r\n\r\n');
  });

  test('is ended by our FIN at once for an HTTP/1.0 client, which knows no other end', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send(
        `HTTP/1.1 200 OK\r\n${field}Transfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n0\r\n\r\n`,
      );
    });
    await using proxy = await TestProxy.start(upstream.url, { stream: ['/exempt/'], lingerTimeout: '30s' });
    using client = await Client.connect(proxy.port);
    await client.send(oldRequest);
    expect(await client.end()).toBe('fin');
    expect(client.left.toString('latin1').endsWith('\r\n\r\nwhole')).toBe(true);
    client.halfClose();
  });

  test('whose client leaves in the middle is ended upstream', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send(`HTTP/1.1 200 OK\r\n${field}\r\ndata: 1\n\n`);
    });
    await using proxy = await TestProxy.start(upstream.url, { stream: ['/exempt/'] });
    using client = await Client.connect(proxy.port);
    await client.send(request);
    await client.until('data: 1');
    client.socket.destroy();
    await upstream.connections[0]?.peerEnd();
    expect((await proxy.record()).outcome).toBe('abandoned');
  });

  test('goes on to a client that had closed its side before', async () => {
    const { script, release } = twoEvents(`HTTP/1.1 200 OK\r\n${field}`.trimEnd());
    await using upstream = await Upstream.start(script);
    await using proxy = await TestProxy.start(upstream.url, { stream: ['/exempt/'] });
    using client = await Client.connect(proxy.port);
    client.socket.write(request);
    client.halfClose();
    await client.until('data: 1');
    release();
    await client.until('data: 2');
  });

  test('waits for a slow reader instead of filling the memory', async () => {
    const piece = Buffer.alloc(256 * 1024, 'x');
    let sent = 0;
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send(`HTTP/1.1 200 OK\r\n${field}Content-Length: ${400 * piece.length}\r\n\r\n`);
      for (; sent < 400 && !connection.socket.destroyed; sent += 1) await connection.send(piece);
    });
    await using proxy = await TestProxy.start(upstream.url, { stream: ['/exempt/'], shutdownTimeout: 10 });
    using client = await Client.connect(proxy.port);
    client.socket.once('data', () => client.socket.pause());
    await client.send(request);
    // 100 MB do not fit into the sockets between: the upstream must come to a stand.
    let before = -1;
    while (sent !== before) {
      before = sent;
      for (let turn = 0; turn < 300; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(sent).toBeLessThan(200);
  });
});

describe('an exempted path', () => {
  test('is asked for as it was written, by a request with our fields', async () => {
    await using upstream = await Upstream.start(answering(ok('a')));
    await using proxy = await TestProxy.start(upstream.url, { stream: ['/exempt/'] });
    using client = await Client.connect(proxy.port);
    await client.send(
      'GET /exempt//a/../b?x=| HTTP/1.1\r\nHost: me.test\r\nX-oDD: 1\r\nConnection: X-Private\r\nX-Private: 1\r\n\r\n',
    );
    await client.response();
    const [request] = upstream.requests;
    expect(request?.target).toBe('/exempt//a/../b?x=|');
    expect(request?.fields.slice(0, 4)).toEqual(['Host', 'me.test', 'X-oDD', '1']);
    expect(valueOf(request?.fields ?? [], 'x-private')).toBeUndefined();
    expect(valueOf(request?.fields ?? [], 'via')).toMatch(/lastbyte/);
  });

  test.each(['POST', 'DELETE'])('passes a chunked body of a %s on in chunks', async (method) => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.body('5\r\nhello\r\n0\r\n\r\n'.length);
      await connection.send(ok('got it'));
    });
    await using proxy = await TestProxy.start(upstream.url, { stream: ['/exempt/'] });
    using client = await Client.connect(proxy.port);
    await client.send(
      `${method} /exempt/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
    );
    expect((await client.response()).body.toString()).toBe('got it');
    const [request] = upstream.requests;
    expect(valueOf(request?.fields ?? [], 'content-length')).toBeUndefined();
    expect(upstream.connections[0]?.received.toString().endsWith('5\r\nhello\r\n0\r\n\r\n')).toBe(true);
  });

  test('passes on every field of a large head', async () => {
    const many = Array.from({ length: 1500 }, (_, index) => `X-${index}: ${'v'.repeat(15)}\r\n`).join('');
    await using upstream = await Upstream.start(answering(ok('a', many)));
    await using proxy = await TestProxy.start(upstream.url, { stream: ['/exempt/'] });
    using client = await Client.connect(proxy.port);
    await client.send('GET /exempt/ HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(valueOf((await client.response()).fields, 'x-1499')).toBe('v'.repeat(15));
  });

  test('has the head of a request passed on before any of its body is there', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      await connection.through('0\r\n\r\n');
    });
    await using proxy = await TestProxy.start(upstream.url, { stream: ['/exempt/'] });
    using client = await Client.connect(proxy.port);
    await client.send(
      'POST /exempt/a HTTP/1.1\r\nHost: x\r\nX-oDD: \xe9\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    expect((await client.response()).body.toString()).toBe('ok');
    expect(valueOf(upstream.requests[0]?.fields ?? [], 'x-odd')).toBe('\xe9');
  });

  test('in an absolute target is found too', async () => {
    await using upstream = await Upstream.start(answering(ok('a')));
    await using proxy = await TestProxy.start(upstream.url, { stream: ['/exempt/'] });
    using client = await Client.connect(proxy.port);
    await client.send('GET http://me.test/exempt/?a HTTP/1.1\r\nHost: x\r\n\r\n');
    await client.response();
    expect(upstream.requests[0]?.target).toBe('/exempt/?a');
    expect((await proxy.record()).outcome).toBe('relayed');
  });

  test('has interim responses passed on', async () => {
    const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n';
    await using upstream = await Upstream.start(answering(`${hints}${ok('late')}`));
    await using proxy = await TestProxy.start(upstream.url, { stream: ['/exempt/'] });
    using client = await Client.connect(proxy.port);
    await client.send('GET /exempt/ HTTP/1.1\r\nHost: x\r\n\r\n');
    expect((await client.response()).status).toBe(103);
    expect((await client.response()).body.toString()).toBe('late');
  });

  test('whose client sends nonsense in the middle of its body is refused, and the upstream request ended', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
    });
    await using proxy = await TestProxy.start(upstream.url, { stream: ['/exempt/'], lingerTimeout: 20 });
    using client = await Client.connect(proxy.port);
    await client.send(
      'POST /exempt/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n',
    );
    while (upstream.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await client.send('zz\r\n');
    expect((await client.response()).status).toBe(400);
    expect(await client.end()).toBe('fin');
    await upstream.connections[0]?.peerEnd();
    expect((await proxy.record()).error).toBe('bad_request');
  });

  test('whose upstream is silent is refused with 504', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
    });
    await using proxy = await TestProxy.start(upstream.url, { stream: ['/exempt/'], firstByteTimeout: 100 });
    using client = await Client.connect(proxy.port);
    await client.send('GET /exempt/ HTTP/1.1\r\nHost: x\r\n\r\n');
    expect((await client.response()).status).toBe(504);
    await client.send('GET /exempt/ HTTP/1.1\r\nHost: x\r\n\r\n');
    expect((await client.response()).status, 'the connection is still good').toBe(504);
  });

  test('whose upstream does not respond is refused with a page for a browser', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      connection.reset();
    });
    await using proxy = await TestProxy.start(upstream.url, { stream: ['/exempt/'] });
    for (const name of ['Accept', 'accept', 'ACCEPT']) {
      using client = await Client.connect(proxy.port);
      await client.send(`GET /exempt/ HTTP/1.1\r\nHost: x\r\n${name}: text/html\r\n\r\n`);
      expect((await client.response()).body.toString()).toMatch(/^<!doctype html>/);
    }
  });

  test('whose upstream does not respond is refused with the reason', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      connection.reset();
    });
    await using proxy = await TestProxy.start(upstream.url, { stream: ['/exempt/'] });
    using client = await Client.connect(proxy.port);
    await client.send('GET /exempt/ HTTP/1.1\r\nHost: x\r\n\r\n');
    expect((await client.response()).status).toBe(502);
    expect((await proxy.record()).error).toBe('no_response');
  });

  test('whose upstream takes no connections is refused with 503', async () => {
    const gone = await Upstream.start(answering(ok('')));
    const { url } = gone;
    await gone[Symbol.asyncDispose]();
    await using proxy = await TestProxy.start(url, { stream: ['/exempt/'] });
    using client = await Client.connect(proxy.port);
    await client.send('GET /exempt/ HTTP/1.1\r\nHost: x\r\n\r\n');
    expect((await client.response()).status).toBe(503);
  });
});

describe('an upgrade', () => {
  const upgrade = (protocol: string): string =>
    `GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\nX-oDD: 1\r\n\r\n`;

  /** Switches, then echoes; when the peer has closed its side, says so and closes. */
  const echo: Script = async (connection) => {
    await connection.request();
    await connection.send(
      'HTTP/1.1 101 Switching Protocols\r\nUpGrade: foo\r\nConnection: Upgrade\r\nX-oDD: 2\r\n\r\nhello;',
    );
    await connection.body(4);
    await connection.send('pong;');
    await connection.peerEnd();
    await connection.send('goodbye');
    connection.fin();
  };

  test('joins both sides, and a half-close is a half-close', async () => {
    await using upstream = await Upstream.start(echo);
    await using proxy = await TestProxy.start(upstream.url);
    using client = await Client.connect(proxy.port);
    await client.send(upgrade('foo'));
    await client.until('hello;');
    await client.send('ping');
    await client.until('pong;');
    client.halfClose();
    await client.until('goodbye');
    expect(client.left.toString('latin1')).toContain('\r\nX-oDD: 2\r\n');
    const [request] = upstream.requests;
    expect(valueOf(request?.fields ?? [], 'upgrade')).toBe('foo');
    expect(valueOf(request?.fields ?? [], 'connection')).toBe('Upgrade');
    expect(request?.fields.slice(2, 4)).toEqual(['X-oDD', '1']);
    expect((await proxy.record()).outcome).toBe('upgraded');
  });

  test('of which the upstream closes its side first still carries what the client sends', async () => {
    let got = '';
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: foo\r\nConnection: Upgrade\r\n\r\n',
      );
      connection.fin();
      got = (await connection.body(4))?.toString() ?? '';
    });
    await using proxy = await TestProxy.start(upstream.url);
    using client = await Client.connect(proxy.port);
    await client.send(upgrade('foo'));
    expect(await client.end()).toBe('fin');
    await client.send('last');
    client.halfClose();
    await proxy.record();
    await upstream.connections[0]?.peerEnd();
    expect(got).toBe('last');
  });

  test('whose upstream resets is reset', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: foo\r\nConnection: Upgrade\r\n\r\nhello;',
      );
      await connection.body(4);
      connection.reset();
    });
    await using proxy = await TestProxy.start(upstream.url);
    using client = await Client.connect(proxy.port);
    await client.send(upgrade('foo'));
    await client.until('hello;');
    await client.send('ping');
    expect(await client.end()).toBe('reset');
    const record = await proxy.record();
    expect([record.status, record.outcome, record.error]).toEqual([101, 'upgraded', null]);
  });

  test('that the upstream refuses is answered whole, with one exact length', async () => {
    const refusal =
      'HTTP/1.1 403 Forbidden\r\nX-oDD: 2\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n';
    await using upstream = await Upstream.start(answering(refusal));
    await using proxy = await TestProxy.start(upstream.url, { lingerTimeout: 20 });
    using client = await Client.connect(proxy.port);
    await client.send(upgrade('websocket'));
    const response = await client.response();
    expect([response.status, response.body.toString()]).toEqual([403, 'abc']);
    expect(response.fields.slice(0, 2)).toEqual(['X-oDD', '2']);
    expect(await client.end()).toBe('fin');
  });

  test('whose response is cut is refused with 502', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send('HTTP/1.1 403 Forbidden\r\nContent-Length: 10\r\n\r\nabc');
      connection.reset();
    });
    await using proxy = await TestProxy.start(upstream.url);
    using client = await Client.connect(proxy.port);
    await client.send(upgrade('websocket'));
    expect((await client.response()).status).toBe(502);
  });

  test.each(['fin', 'rst'] as const)(
    'whose upstream ends by %s without a response is refused with 502',
    async (ending) => {
      await using upstream = await Upstream.start(async (connection) => {
        await connection.request();
        if (ending === 'fin') connection.fin();
        else connection.reset();
      });
      await using proxy = await TestProxy.start(upstream.url, { lingerTimeout: 20 });
      using client = await Client.connect(proxy.port);
      await client.send(upgrade('websocket'));
      expect((await client.response()).status).toBe(502);
      expect(await client.end()).toBe('fin');
      expect((await proxy.record()).error).toBe('no_response');
    },
  );

  test('whose upstream is silent is refused with 504', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
    });
    await using proxy = await TestProxy.start(upstream.url, { stream: ['/exempt/'], firstByteTimeout: 100 });
    using client = await Client.connect(proxy.port);
    await client.send('GET /exempt/ HTTP/1.1\r\nHost: x\r\n\r\n');
    expect((await client.response()).status).toBe(504);
    await client.send('GET /exempt/ HTTP/1.1\r\nHost: x\r\n\r\n');
    expect((await client.response()).status, 'the connection is still good').toBe(504);
  });

  test('whose upstream does not respond is refused with the reason', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      connection.reset();
    });
    await using proxy = await TestProxy.start(upstream.url, { stream: ['/exempt/'] });
    using client = await Client.connect(proxy.port);
    await client.send('GET /exempt/ HTTP/1.1\r\nHost: x\r\n\r\n');
    expect((await client.response()).status).toBe(502);
    expect((await proxy.record()).error).toBe('no_response');
  });

  test('whose upstream takes no connections is refused with 503', async () => {
    const gone = await Upstream.start(answering(ok('')));
    const { url } = gone;
    await gone[Symbol.asyncDispose]();
    await using proxy = await TestProxy.start(url, { stream: ['/exempt/'] });
    using client = await Client.connect(proxy.port);
    await client.send('GET /exempt/ HTTP/1.1\r\nHost: x\r\n\r\n');
    expect((await client.response()).status).toBe(503);
  });
});

describe('an upgrade', () => {
  const upgrade = (protocol: string): string =>
    `GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\nX-oDD: 1\r\n\r\n`;

  /** Switches, then echoes; when the peer has closed its side, says so and closes. */
  const echo: Script = async (connection) => {
    await connection.request();
    await connection.send(
      'HTTP/1.1 101 Switching Protocols\r\nUpGrade: foo\r\nConnection: Upgrade\r\nX-oDD: 2\r\n\r\nhello;',
    );
    await connection.body(4);
    await connection.send('pong;');
    await connection.peerEnd();
    await connection.send('goodbye');
    connection.fin();
  };

  test('joins both sides, and a half-close is a half-close', async () => {
    await using upstream = await Upstream.start(echo);
    await using proxy = await TestProxy.start(upstream.url);
    using client = await Client.connect(proxy.port);
    await client.send(upgrade('foo'));
    await client.until('hello;');
    await client.send('ping');
    await client.until('pong;');
    client.halfClose();
    await client.until('goodbye');
    expect(client.left.toString('latin1')).toContain('\r\nX-oDD: 2\r\n');
    const [request] = upstream.requests;
    expect(valueOf(request?.fields ?? [], 'upgrade')).toBe('foo');
    expect(valueOf(request?.fields ?? [], 'connection')).toBe('Upgrade');
    expect(request?.fields.slice(2, 4)).toEqual(['X-oDD', '1']);
    expect((await proxy.record()).outcome).toBe('upgraded');
  });

  test('of which the upstream closes its side first still carries what the client sends', async () => {
    let got = '';
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: foo\r\nConnection: Upgrade\r\n\r\n',
      );
      connection.fin();
      got = (await connection.body(4))?.toString() ?? '';
    });
    await using proxy = await TestProxy.start(upstream.url);
    using client = await Client.connect(proxy.port);
    await client.send(upgrade('foo'));
    expect(await client.end()).toBe('fin');
    await client.send('last');
    client.halfClose();
    await proxy.record();
    await upstream.connections[0]?.peerEnd();
    expect(got).toBe('last');
  });

  test('whose upstream resets is reset', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: foo\r\nConnection: Upgrade\r\n\r\nhello;',
      );
      await connection.body(4);
      connection.reset();
    });
    await using proxy = await TestProxy.start(upstream.url);
    using client = await Client.connect(proxy.port);
    await client.send(upgrade('foo'));
    await client.until('hello;');
    await client.send('ping');
    expect(await client.end()).toBe('reset');
    const record = await proxy.record();
    expect([record.status, record.outcome, record.error]).toEqual([101, 'upgraded', null]);
  });

  test('that the upstream refuses is answered whole, with one exact length', async () => {
    const refusal =
      'HTTP/1.1 403 Forbidden\r\nX-oDD: 2\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n';
    await using upstream = await Upstream.start(answering(refusal));
    await using proxy = await TestProxy.start(upstream.url, { lingerTimeout: 20 });
    using client = await Client.connect(proxy.port);
    await client.send(upgrade('websocket'));
    const response = await client.response();
    expect([response.status, response.body.toString()]).toEqual([403, 'abc']);
    expect(response.fields.slice(0, 2)).toEqual(['X-oDD', '2']);
    expect(await client.end()).toBe('fin');
  });

  test('whose response is cut is refused with 502', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send('HTTP/1.1 403 Forbidden\r\nContent-Length: 10\r\n\r\nabc');
      connection.reset();
    });
    await using proxy = await TestProxy.start(upstream.url);
    using client = await Client.connect(proxy.port);
    await client.send(upgrade('websocket'));
    expect((await client.response()).status).toBe(502);
  });

  test.each(['fin', 'rst'] as const)(
    'whose upstream ends by %s without a response is refused with 502',
    async (ending) => {
      await using upstream = await Upstream.start(async (connection) => {
        await connection.request();
        if (ending === 'fin') connection.fin();
        else connection.reset();
      });
      await using proxy = await TestProxy.start(upstream.url, { lingerTimeout: 20 });
      using client = await Client.connect(proxy.port);
      await client.send(upgrade('websocket'));
      expect((await client.response()).status).toBe(502);
      expect(await client.end()).toBe('fin');
      expect((await proxy.record()).error).toBe('no_response');
    },
  );

  test('whose upstream is silent is refused with 504', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
    });
    await using proxy = await TestProxy.start(upstream.url, { firstByteTimeout: 100 });
    using client = await Client.connect(proxy.port);
    await client.send(upgrade('websocket'));
    expect((await client.response()).status).toBe(504);
  });

  test('to an upstream that takes no connections is refused with 503', async () => {
    const gone = await Upstream.start(answering(ok('')));
    const { url } = gone;
    await gone[Symbol.asyncDispose]();
    await using proxy = await TestProxy.start(url);
    using client = await Client.connect(proxy.port);
    await client.send(upgrade('websocket'));
    expect((await client.response()).status).toBe(503);
  });
});

test('CONNECT is refused with 405', async () => {
  await using upstream = await Upstream.start(answering(ok('')));
  await using proxy = await TestProxy.start(upstream.url, { lingerTimeout: 20 });
  using client = await Client.connect(proxy.port);
  await client.send('CONNECT other.test:443 HTTP/1.1\r\nHost: other.test:443\r\n\r\n');
  expect((await client.response()).status).toBe(405);
  expect(await client.end()).toBe('fin');
  expect(upstream.connections.length).toBe(0);
});

test('a stream that is cut does not end the process where a socket knows no reset', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lastbyte-test-'));
  const path = join(folder, 'in.sock');
  await using upstream = await Upstream.start(async (connection) => {
    await connection.request();
    await connection.send('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n');
    connection.reset();
  });
  await using proxy = await TestProxy.start(upstream.url, { socket: path });
  const socket = connect(path);
  socket.resume().write(GET);
  await once(socket, 'close');
  expect((await proxy.record()).outcome).toBe('cut');
  rmSync(folder, { recursive: true });
});
