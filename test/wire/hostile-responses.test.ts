/** Responses that are broken or meant to deceive: what the client gets of them, and what becomes of the connection. */

import { describe, expect, test } from 'vitest';
import { Client } from '../harness/client.ts';
import type { ProxyOptions } from '../../src/index.ts';
import { TestProxy } from '../harness/proxy.ts';
import { connectionsRested } from '../harness/rest.ts';
import { Upstream, answering, ok } from '../harness/upstream.ts';

/** Several strings on one line. */
const split = (text: string): string[] => text.split('|');

const OK = 'HTTP/1.1 200 OK\r\n';
const withStatusLine = (line: string): string => `${line}\r\nContent-Length: 2\r\n\r\nok`;
const withFields = (lines: string): string => `${OK}${lines}\r\nContent-Length: 2\r\n\r\nok`;
const withLength = (value: string): string => `${OK}Content-Length: ${value}\r\n\r\nok`;
const CHUNKS = '2\r\nok\r\n0\r\n\r\n';
const withCoding = (lines: string): string => `${OK}Transfer-Encoding: ${lines}\r\n\r\n${CHUNKS}`;
const withChunks = (chunks: string): string => `${OK}Transfer-Encoding: chunked\r\n\r\n${chunks}`;
/** A chunked body whose first size line is given. */
const withSize = (line: string): string => withChunks(`${line}\r\nok\r\n0\r\n\r\n`);

/** What a client that is kept is told after the fields of the upstream. */
const KEPT = 'Connection: keep-alive\r\nKeep-Alive: timeout=70\r\n\r\n';
const PLAIN = `${OK}Content-Length: 2\r\n${KEPT}ok`;
const AGAIN = `${OK}Content-Length: 5\r\nConnection: close\r\n\r\nagain`;

interface Outcome {
  /** All that the client got before the response to its second request, latin1. */
  readonly got: string;
  /** Whether the second request went out on the same connection. */
  readonly upstream: 'kept' | 'closed';
}

/** The upstream responds to the first request with `text`, and a second one on the same client connection as it should. */
async function answer(text: string, method = 'GET', options: ProxyOptions = {}): Promise<Outcome> {
  await using upstream = await Upstream.start(async (connection) => {
    for (let one = await connection.request(); one !== null; one = await connection.request()) {
      await connection.send(one.target === '/first' ? text : ok('again'));
    }
    connection.fin();
  });
  await using proxy = await TestProxy.start(upstream.url, {
    retries: 0,
    bodyIdleTimeout: 100,
    lingerTimeout: 20,
    ...options,
  });
  using client = await Client.connect(proxy.port);
  await client.send(`${method} /first HTTP/1.1\r\nHost: x\r\n\r\n`);
  await proxy.record();
  await connectionsRested();
  await client.send('GET /second HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  expect(await client.end()).toBe('fin');
  // This hop adds it; see test/wire/response-fields.test.ts.
  const all = client.left.toString('latin1').replaceAll(/Date: [^\r]* GMT\r\n/g, '');
  expect(all.endsWith(AGAIN)).toBe(true);
  const kept = upstream.connections.length === 1;
  if (!kept) await upstream.connections[0]?.peerEnd();
  return { got: all.slice(0, -AGAIN.length), upstream: kept ? 'kept' : 'closed' };
}

async function expectRefused(text: string, status = 502, options: ProxyOptions = {}): Promise<void> {
  const { got, upstream } = await answer(text, 'GET', options);
  expect(upstream).toBe('closed');
  const [head = '', body = ''] = got.split('\r\n\r\n');
  expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(head).not.toMatch(/evil|HTTP\/1\.1 200/);
  expect(JSON.parse(body)).toMatchObject({ status });
}

describe('is refused with 502, and its connection closed: ', () => {
  test.each([
    ...split('HTTP/1.1 099 x|HTTP/1.1 000 x|HTTP/1.1 20 x|HTTP/1.1 2000 x|HTTP/1.1 -200 x|HTTP/1.1 +200 x'),
    ...split('HTTP/1.1 2x0 x|HTTP/1.1 0x1 x|HTTP/1.1 200OK|HTTP/1.1  200 OK|HTTP/1.1\t200 OK|HTTP/1.1'),
    ...split('HTTP/1.2 200 OK|HTTP/2.0 200 OK|HTTP/2 200|HTTP/0.9 200 OK|HTTP/1.10 200 OK|HTTP/1 200 OK'),
    ...split(
      'http/1.1 200 OK|ICY 200 OK|RTSP/1.0 200 OK| HTTP/1.1 200 OK|\r\nHTTP/1.1 200 OK|HTTP/1.1 200 \0',
    ),
    ...split('\nHTTP/1.1 200 OK|HTTP/1.1 200 a\rb|HTTP/1.1 200 a\nSet-Cookie: evil|HTTP/1.1 200 \x1b[2J'),
    ...split('HTTP/1.1 200 OK\rSet-Cookie: evil|HTTP/1.1 101 Switching Protocols|200 OK'),
  ])('the status line %j', async (line) => {
    await expectRefused(withStatusLine(line));
  });

  test.each([
    ...split('A: b\rSet-Cookie: evil|A: b\nSet-Cookie: evil|A: b\0c|A: b\r|A: b\n|A: b\x7f|A: b\x01|A : b'),
    ...split('A B: c|AB|: b|(A): b|A\xe9: b|A\0: b| A: b|A: b\r\r\n\r\nHTTP/1.1 200 evil|\nSet-Cookie: evil'),
  ])('the field line %j', async (line) => {
    await expectRefused(withFields(line));
  });

  test.each([
    ...split('+2|-2|0x2|2.0|2 2||2a|2;a|9007199254740992|18446744073709551618|\xb2|2, 3|,'),
    ...split('2\r\nContent-Length: 3|3\r\ncontent-length: 2|2\r\nContent-Length: 2, 3'),
  ])('the length %j', async (value) => {
    await expectRefused(withLength(value));
  });

  test.each([
    ...split(
      'gzip|gzip, chunked|chunked, gzip|chunked, chunked|chunked, identity|identity, chunked||xchunked',
    ),
    ...split(
      'chunked;q=1|\x0bchunked|"chunked"|chunked\r\nTransfer-Encoding: chunked|gzip\r\nContent-Length: 2',
    ),
    'chunked\r\nTransfer-Encoding: identity',
  ])('the coding %j', async (value) => {
    await expectRefused(withCoding(value));
  });

  test.each([
    ...split('2 |2\t|0x2|-2|+2| 2|g||20000000000000|10000000000000002|ffffffffffffffff|2;a\0|2;a\rb|2\nok'),
    ...split('2;a\nok|1|3|2\r\nok\r\n-1'),
  ])('the chunk size %j', async (line) => {
    await expectRefused(withSize(line));
  });

  test.each([
    ...split(
      '2\r\nokk\r\n0\r\n\r\n|2\r\nok\n0\r\n\r\n|2\r\nok\r0\r\n\r\n|2\r\nok\r\n0\r\n\n|2\r\nok\r\n0\n\n',
    ),
    ...split(
      '2\r\nok\r\n0\r\nA B: c\r\n\r\n|2\r\nok\r\n0\r\nA: b\r\n c\r\n\r\n|2\r\nok\r\n0\r\nHTTP/1.1 200 evil\r\n\r\n',
    ),
  ])('the chunks %j', async (chunks) => {
    await expectRefused(withChunks(chunks));
  });

  test.each([
    ['lines of which some end in LF', 'HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\nok'],
    ['chunks whose lines end in LF', 'HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nok\n0\n\n'],
    ['an empty line of LF alone', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\nok'],
    ['HTTP/2', '\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x80'],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a TLS alert', '\x15\x03\x01\0\x02\x02\x46'],
    ['a request', 'GET /evil HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['empty lines', '\r\n\r\n'],
    ['a switch that nobody asked for', 'HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: evil\r\n\r\n'],
    ['a chunk extension of 5 KB', withSize(`2;${'a'.repeat(5000)}`)],
    ['trailers of 18 KB', withChunks(`2\r\nok\r\n0\r\n${'A: b\r\n'.repeat(3000)}\r\n`)],
    ['20,000 fields', withFields('a:b\r\n'.repeat(20_000))],
    ['one large field', withFields(`A: ${'x'.repeat(70_000)}`)],
    ['20,000 interim responses', `${'HTTP/1.1 100 C\r\n\r\n'.repeat(20_000)}${PLAIN}`],
    ['an interim response with a bare CR', `HTTP/1.1 103 E\r\nLink: a\rb\r\n\r\n${PLAIN}`],
    ['an interim response with a NUL', `HTTP/1.1 103 E\0\r\n\r\n${PLAIN}`],
  ])('%s', async (_name, text) => {
    await expectRefused(text);
  });

  test('a chunk that never ends: refused with 504', async () => {
    await expectRefused(withSize('100000002'), 504);
  });
});

type Row = readonly [text: string, got: string, upstream: Outcome['upstream']];
/** A row after its beginning, for a title. */
const titled = (row: Row): readonly [string, ...Row] => [JSON.stringify(row[0]).slice(0, 90), ...row];

describe('reaches the client as exactly these bytes: ', () => {
  const rows: readonly Row[] = [
    [withStatusLine('HTTP/1.1 200'), PLAIN.replace(' OK', ' '), 'kept'],
    [withStatusLine('HTTP/1.0 200 OK'), PLAIN, 'closed'],
    ['HTTP/1.1 200 OK\nContent-Length: 2\n\nok', PLAIN, 'kept'],
    ['HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\r\nok\r\n0\r\n\r\n', PLAIN, 'kept'],
    [withStatusLine('HTTP/1.1 299 Odd \xe9\tOne'), PLAIN.replace('200 OK', '299 Odd \xe9\tOne'), 'kept'],
    [withStatusLine('HTTP/1.1 999 x'), PLAIN.replace('200 OK', '999 x'), 'kept'],
    [withFields('A: b\r\n\t c'), PLAIN.replace('Content', 'A: b c\r\nContent'), 'kept'],
    [withFields('A: \xff\x80'), PLAIN.replace('Content', 'A: \xff\x80\r\nContent'), 'kept'],
    [withFields('Connection: Content-Length, X-Gone, Set-Cookie\r\nX-Gone: 1'), PLAIN, 'kept'],
    [
      withFields('Keep-Alive: 9\r\nProxy-Connection: x\r\nTE: x\r\nTrailer: y\r\nUpgrade: h2c'),
      PLAIN,
      'kept',
    ],
    [withLength('2\r\nContent-Length: 2'), PLAIN, 'kept'],
    [withLength('2, 2'), PLAIN, 'kept'],
    [withLength('02\r\nTransfer-Encoding: identity'), PLAIN, 'closed'],
    [withCoding('CHUNKED'), PLAIN, 'kept'],
    [withCoding(',chunked'), PLAIN, 'kept'],
    // Transfer-Encoding wins; and such a connection is not used again (RFC 9112 section 6.3).
    [withCoding('chunked\r\nContent-Length: 99'), PLAIN, 'closed'],
    [`${OK}Content-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKS}`, PLAIN, 'closed'],
    [withCoding('chunked').replace('1.1', '1.0'), PLAIN, 'closed'],
    [withChunks('2\r\nok\r\n0\r\nSet-Cookie: evil\r\nContent-Length: 9\r\n\r\n'), PLAIN, 'kept'],
    // What is too much is dropped, whatever it looks like.
    [`${withLength('2')}more`, PLAIN, 'closed'],
    [`${withLength('2')}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`, PLAIN, 'closed'],
    [`${withCoding('chunked')}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`, PLAIN, 'closed'],
    ['HTTP/1.1 204 N\r\nContent-Length: 4\r\n\r\nevil', `HTTP/1.1 204 N\r\n${KEPT}`, 'closed'],
    [
      'HTTP/1.1 204 N\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n0\r\n\r\n',
      `HTTP/1.1 204 N\r\n${KEPT}`,
      'closed',
    ],
    [
      'HTTP/1.1 304 N\r\nContent-Length: 4\r\n\r\nevil',
      `HTTP/1.1 304 N\r\nContent-Length: 4\r\n${KEPT}`,
      'closed',
    ],
    ['HTTP/1.1 304 N\r\nContent-Length: 4, 5\r\n\r\n', `HTTP/1.1 304 N\r\n${KEPT}`, 'kept'],
    // An interim response has no body, and says no length (RFC 9110 section 8.6).
    [
      `HTTP/1.1 103 E\r\nContent-Length: 2\r\nLink: a\r\n\r\n${withLength('2')}`,
      `HTTP/1.1 103 E\r\nLink: a\r\n\r\n${PLAIN}`,
      'kept',
    ],
    [
      `HTTP/1.1 199 E\r\nTransfer-Encoding: chunked\r\n\r\n${withLength('2')}`,
      `HTTP/1.1 199 E\r\n\r\n${PLAIN}`,
      'kept',
    ],
    [`${'HTTP/1.1 100 C\r\n\r\n'.repeat(1000)}${withLength('2')}`, PLAIN, 'kept'],
  ];
  test.each(rows.map(titled))('%s', async (_title, text, got, upstream) => {
    expect(await answer(text)).toEqual({ got, upstream });
  });

  test.each<Row>([
    [`${OK}Content-Length: 4\r\n\r\nevil`, `${OK}Content-Length: 4\r\n${KEPT}`, 'closed'],
    [withCoding('chunked'), `${OK}${KEPT}`, 'closed'],
    [`${OK}Content-Length: 4, 5\r\n\r\n`, `${OK}${KEPT}`, 'kept'],
    [`${OK}\r\n`, `${OK}${KEPT}`, 'kept'],
  ])('to HEAD, %j', async (text, got, upstream) => {
    expect(await answer(text, 'HEAD')).toEqual({ got, upstream });
  });
});

test('a body after an interim response is no part of the next', async () => {
  const { got, upstream } = await answer(`HTTP/1.1 103 E\r\nContent-Length: 4\r\n\r\nevil${PLAIN}`);
  expect(got).toMatch(/^HTTP\/1\.1 103 E\r\n\r\nHTTP\/1\.1 502 Bad Gateway\r\n/);
  expect(upstream).toBe('closed');
});

/** Node's client reads these, and laxly: but only what our own parser takes goes on. */
describe('is refused with 502 where it would be relayed as it comes:', () => {
  test.each([
    ...split(
      'HTTP/1.1 200 a\x0bb|HTTP/1.1 200 a\0b|HTTP/1.1 200 \x1b[2J|HTTP/1.1 099 x|HTTP/1.1 000 x|HTTP/1.1 99 x',
    ),
    ...split('HTTP/2.0 200 OK|HTTP/0.9 200 OK|HTTP/1.1 200 a\rb|HTTP/1.1 200 \x7f|ICY 200 OK'),
  ])('the status line %j', async (line) => {
    await expectRefused(withStatusLine(line), 502, { stream: ['/'] });
  });

  test('a response to an upgrade with the status line of another protocol', async () => {
    const asking = 'Connection: Upgrade\r\nUpgrade: x\r\n';
    await using upstream = await Upstream.start(answering(withStatusLine('HTTP/1.1 200 a\x0bb')));
    await using proxy = await TestProxy.start(upstream.url, { lingerTimeout: 20 });
    using client = await Client.connect(proxy.port);
    await client.send(`GET / HTTP/1.1\r\nHost: x\r\n${asking}\r\n`);
    expect((await client.response()).status).toBe(502);
  });

  test('an interim response with a reason that is none is left out', async () => {
    const { got } = await answer(`HTTP/1.1 103 a\x0bb\r\nLink: a\r\n\r\n${withLength('2')}`, 'GET', {
      stream: ['/'],
    });
    expect(got).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });
});
