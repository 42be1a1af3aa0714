/** Request lines, targets, Hosts and fields that are broken or meant to deceive: what of them reaches the upstream. */

import { describe, expect, test } from 'vitest';
import { Client } from '../helpers/client.ts';
import { TestProxy } from '../helpers/proxy.ts';
import { expanded, sendRaw } from '../helpers/raw-request.ts';
import type { RawOutcome, RawWay } from '../helpers/raw-request.ts';
import { Upstream, answering, ok } from '../helpers/upstream.ts';

/** Several strings on one line. */
const split = (text: string): string[] => text.split('|');

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n';
const KIB = 1024;

const asking = (line: string, fields = ''): string => `${line}\r\nHost: x\r\n${fields}\r\n`;
const withFields = (fields: string): string => asking('GET /a HTTP/1.1', fields);
const forHost = (line: string): string => `GET /a HTTP/1.1\r\n${line}\r\n`;
const switching = (fields: string): string => withFields(`Connection: Upgrade\r\n${fields}`);

async function expectRefused(octets: string, status = 400, way: RawWay = {}): Promise<RawOutcome> {
  const outcome = await sendRaw(octets + SMUGGLED, way);
  const { statuses, reached, ended, bodies } = outcome;
  expect({ statuses, reached, ended }).toEqual({ statuses: [status], reached: '', ended: 'fin' });
  expect(JSON.parse(bodies[0] ?? '')).toMatchObject({ status });
  return outcome;
}

async function expectPassed(octets: string, upstream: string): Promise<void> {
  const outcome = await sendRaw(octets);
  expect(outcome.reached).toBe(expanded(upstream, outcome));
  expect([outcome.statuses, outcome.ended]).toEqual([[200], 'fin']);
}

describe('a request line is refused, and nothing behind it is read:', () => {
  test.each([
    ...split('GET\t/a\tHTTP/1.1|GET /a HTTP/1.1 | GET /a HTTP/1.1|GET /a b HTTP/1.1|GET HTTP/1.1'),
    ...split('get /a HTTP/1.1|FROB /a HTTP/1.1|GE:T /a HTTP/1.1|PRI /a HTTP/1.1|G\0ET /a HTTP/1.1'),
    ...split('GET /a HTTP/0.9|GET /a HTTP/1.2|GET /a HTTP/2.0|GET /a HTTP/1.10|GET /a HTTP/01.1'),
    ...split('GET /a HTTP/1|GET /a http/1.1|GET /a HTTPS/1.1|GET /a ICE/1.0|GET /a|GET /a\nX: HTTP/1.1'),
    ...split('GET /a\0 HTTP/1.1|GET /a\x01 HTTP/1.1|GET /a\x7f HTTP/1.1|GET /a\rb HTTP/1.1'),
    ...split('GET /a\xff HTTP/1.1|GET a HTTP/1.1|GET \\a HTTP/1.1|GET ?a HTTP/1.1|GET * HTTP/1.1'),
    ...split('GET http://u:p@evil.test/a HTTP/1.1|GET ftp://evil.test/a HTTP/1.1'),
    ...split('GET http:///a HTTP/1.1'),
    ...split('GET file:///etc/passwd HTTP/1.1|GET ws://evil.test/a HTTP/1.1|GET evil.test:80 HTTP/1.1'),
  ])('%j', async (line) => {
    await expectRefused(asking(line));
  });

  test.each(['evil.test:443', '/a', 'x:80'])('CONNECT %s', async (target) => {
    await expectRefused(asking(`CONNECT ${target} HTTP/1.1`), 405);
  });

  test.each([
    ['HTTP/0.9', 'GET /a\r\n\r\n'],
    ['lines that end in LF', 'GET /a HTTP/1.1\nHost: x\n\n'],
    ['a first line that ends in LF', 'GET /a HTTP/1.1\nHost: x\r\n\r\n'],
    ['a first line that ends in CR', 'GET /a HTTP/1.1\rHost: x\r\n\r\n'],
    ['a first field that is folded', 'GET /a HTTP/1.1\r\n A: b\r\nHost: x\r\n\r\n'],
  ])('%s', async (_name, octets) => {
    await expectRefused(octets);
  });
});

describe('a request line is the same to the upstream, or what it means:', () => {
  test.each<[line: string, upstream: string]>([
    ['GET  /a  HTTP/1.1', 'GET /a HTTP/1.1'],
    ['\r\n\r\nGET /a HTTP/1.1', 'GET /a HTTP/1.1'],
    ['\n\nGET /a HTTP/1.1', 'GET /a HTTP/1.1'],
    ['QUERY /a HTTP/1.1', 'QUERY /a HTTP/1.1'],
    ['GET /a#b HTTP/1.1', 'GET /a#b HTTP/1.1'],
    ['GET /../../etc/passwd HTTP/1.1', 'GET /../../etc/passwd HTTP/1.1'],
    ['GET /%2e%2e%2f%00%0d%0aX:y?%zz% HTTP/1.1', 'GET /%2e%2e%2f%00%0d%0aX:y?%zz% HTTP/1.1'],
    ['GET //evil.test/a HTTP/1.1', 'GET //evil.test/a HTTP/1.1'],
    ['OPTIONS * HTTP/1.1', 'OPTIONS * HTTP/1.1'],
  ])('%j', async (line, upstream) => {
    await expectPassed(asking(line), `${upstream}\r\nHost: x\r\n<ours x>\r\n`);
  });

  /** Whatever it names, there is one upstream (RFC 9112 section 3.2.2). */
  test.each<[line: string, upstream: string]>([
    ['GET http://evil.test/a HTTP/1.1', 'GET /a HTTP/1.1\r\nHost: evil.test'],
    ['GET HTTPS://evil.test:1/a HTTP/1.1', 'GET /a HTTP/1.1\r\nHost: evil.test:1'],
    ['GET http://evil.test?q HTTP/1.1', 'GET /?q HTTP/1.1\r\nHost: evil.test'],
    ['OPTIONS http://evil.test HTTP/1.1', 'OPTIONS * HTTP/1.1\r\nHost: evil.test'],
  ])('%j', async (line, upstream) => {
    await expectPassed(asking(line), `${upstream}\r\n<ours x>\r\n`);
  });

  test('HTTP/1.0 without a Host', async () => {
    await expectPassed('GET /a HTTP/1.0\r\n\r\n', 'GET /a HTTP/1.1\r\nHost: <upstream>\r\n<ours  1.0>\r\n');
  });
});

describe('a Host', () => {
  test.each([
    ...split('|Host: x\r\nHost: x\r\n|Host: x\r\nHost: y\r\n|Host:\r\n|Host: x, y\r\n|Host: u@x\r\n'),
    ...split('Host: x/evil\r\n|Host: x:y\r\n|Host: x:65536\r\n|Host: [::1\r\n|Host: x\0y\r\n'),
    ...split('Host: x\ty\r\n|Host: x\r\n y\r\n|Host : x\r\n|Host: caf\xc3\xa9\r\n'),
    ...split('Host: x\r\nhost: x\r\n'),
  ])('of %j is refused', async (line) => {
    await expectRefused(forHost(line));
  });

  test('that is missing is refused beside an absolute target too, and twice is too much in HTTP/1.0', async () => {
    await expectRefused('GET http://evil.test/a HTTP/1.1\r\n\r\n');
    await expectRefused('GET http://evil.test/a HTTP/1.1\r\nHost: a/b\r\n\r\n');
    await expectRefused('GET /a HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n');
  });

  test.each(['x:8000', '[::1]:80', 'x'])('of %s goes on as it is, where it stands', async (host) => {
    const fields = `A: b\r\nHost: ${host}\r\n`;
    await expectPassed(forHost(fields), `GET /a HTTP/1.1\r\n${fields}<ours ${host}>\r\n`);
  });
});

describe('field lines', () => {
  test.each([
    ...split('A : b\r\n|A\t: b\r\n|A B: c\r\n|AB\r\n|: b\r\n|A\0: b\r\n|(A): b\r\n|caf\xe9: b\r\n'),
    ...split('A: b\r\n c\r\n|A: b\r\n\tc\r\n|A: b\r\n \r\n|A: b\0c\r\n|A: b\x01c\r\n|A: b\x7fc\r\n'),
    ...split('A: b\x1b[2Jc\r\n|A: b\rc\r\n|A: b\r\r\n|A: b\nC: d\r\n|A: b\n\r\n|\n'),
  ])('%j are refused', async (lines) => {
    await expectRefused(withFields(lines));
  });

  test.each<[lines: string, upstream: string]>([
    ['A: \x80\xff caf\xc3\xa9\r\n', 'A: \x80\xff caf\xc3\xa9\r\n'],
    ["!#$%&'*+-.^_`|~:b \t\r\nB:\r\n", "!#$%&'*+-.^_`|~: b\r\nB: \r\n"],
    [
      'Connection: Host, Authorization, Cookie\r\nAuthorization: s\r\nCookie: c\r\n',
      'Authorization: s\r\nCookie: c\r\n',
    ],
    ['Connection: X-Forwarded-For, Forwarded, Via, Connection\r\n', ''],
    ['Connection: close\r\nconnection: X-Gone\r\nX-Gone: 1\r\nX-Kept: 2\r\n', 'X-Kept: 2\r\n'],
    ['Connection: ,, close,;x="y, z"\r\nZ: 1\r\n', 'Z: 1\r\n'],
    ['Proxy-Connection: x\r\nKeep-Alive: x\r\nTE: trailers\r\nTrailer: Host\r\nUpgrade: h2c\r\n', ''],
    ['X_Forwarded_For: 9.9.9.9\r\nx-forwarded_proto: https\r\nForwarded: for=9.9.9.9\r\n', ''],
  ])('%j go on as far as they may', async (lines, upstream) => {
    await expectPassed(withFields(lines), `GET /a HTTP/1.1\r\nHost: x\r\n${upstream}<ours x>\r\n`);
  });
});

describe('an expectation', () => {
  const expecting = (lines: string): string =>
    asking('POST /a HTTP/1.1', `${lines}Content-Length: 5\r\n`) + 'hello';
  const UPSTREAM = 'POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n<ours x>\r\nhello';

  test.each([
    ...split('200-ok|100-continue, x|100-continue;x=y|x100-continuey|100-continue\r\nExpect: x'),
    ...split('x\r\nExpect: 100-continue|"100-continue"'),
  ])('of %j is refused', async (value) => {
    await expectRefused(expecting(`Expect: ${value}\r\n`), 417);
  });

  test.each([
    ['100-continue', [100, 200]],
    ['100-CONTINUE', [100, 200]],
    ['100-continue\r\nExpect: 100-continue', [100, 200]],
    ['', [200]],
  ])('of %j is ours to meet', async (value, statuses) => {
    const outcome = await sendRaw(expecting(`Expect: ${value}\r\n`));
    expect(outcome.statuses).toEqual(statuses);
    expect(outcome.reached).toBe(expanded(UPSTREAM, outcome));
  });
});

describe('an upgrade is refused', () => {
  test.each<[fields: string, status: number]>([
    ['Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n', 501],
    ['Upgrade: websocket\r\nUpgrade: h2c\r\n', 501],
    ['Upgrade: websocket\r\nContent-Length: 5\r\n', 501],
    ['Upgrade: websocket\r\nTransfer-Encoding: chunked\r\n', 501],
    ['Upgrade: websocket\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n', 400],
    ['Upgrade: websocket\r\nHost: y\r\n', 400],
    ['Upgrade: websocket\r\nExpect: x\r\n', 417],
  ])('with %j', async (fields, status) => {
    await expectRefused(switching(fields), status);
  });
});

describe('a head over --max-header is refused:', () => {
  test.each([
    ['a long target', asking(`GET /${'a'.repeat(70_000)} HTTP/1.1`)],
    ['one long value', withFields(`A: ${'x'.repeat(70_000)}\r\n`)],
    ['one long name', withFields(`${'x'.repeat(70_000)}: a\r\n`)],
    // Node counts names and values only: these are 40 KB to it, and 120 KB to the upstream.
    ['20,000 short fields', withFields('a:b\r\n'.repeat(20_000))],
    ['16,000 empty fields', withFields('a:\r\n'.repeat(16_000))],
  ])('%s', async (_name, octets) => {
    await expectRefused(octets, 431);
  });

  test('behind a good request, which is answered', async () => {
    const { statuses, reached } = await sendRaw(
      `${asking('GET /a HTTP/1.1')}${asking('GET /b HTTP/1.1', `A: ${'x'.repeat(70_000)}\r\n`)}${SMUGGLED}`,
    );
    expect(statuses).toEqual([200, 431]);
    expect(reached).not.toMatch(/\/b|smuggled/);
  });

  test('but not white space that leaves nothing behind', async () => {
    const octets = `${'\r\n'.repeat(50 * KIB)}${withFields(`A:${' '.repeat(70_000)}b\r\n`)}`;
    await expectPassed(octets, 'GET /a HTTP/1.1\r\nHost: x\r\nA: b\r\n<ours x>\r\n');
  });
});

describe('what stands behind a request', () => {
  const GOOD = asking('GET /a HTTP/1.1');

  test.each([
    ['a bad one', 'GET /b HTTP/1.1\r\nBad Name: x\r\n\r\n'],
    ['one with two Hosts', 'GET /b HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n'],
    [
      'one with two Hosts and a body',
      `POST /b HTTP/1.1\r\nHost: x\r\nHost: y\r\nContent-Length: 35\r\n\r\n${SMUGGLED}`,
    ],
  ])('and %s never reaches the upstream', async (_name, bad) => {
    const outcome = await sendRaw(GOOD + bad + SMUGGLED);
    expect(outcome.statuses).toEqual([200, 400]);
    expect(outcome.reached).toBe(expanded('GET /a HTTP/1.1\r\nHost: x\r\n<ours x>\r\n', outcome));
  });

  test.each([
    ['says close', asking('GET /a HTTP/1.1', 'Connection: close\r\n')],
    ['is of HTTP/1.0', asking('GET /a HTTP/1.0', 'Connection: keep-alive\r\n')],
  ])('that %s is no request', async (_name, octets) => {
    const { statuses, reached } = await sendRaw(octets + SMUGGLED);
    expect(statuses).toEqual([200]);
    expect(reached).not.toContain('smuggled');
  });

  test('with a body one octet longer than it says is refused; the request itself is answered', async () => {
    const outcome = await sendRaw(`POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nhello${SMUGGLED}`);
    expect(outcome.statuses).toEqual([200, 400]);
    const upstream = 'POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n<ours x>\r\nhell';
    expect(outcome.reached).toBe(expanded(upstream, outcome));
  });
});

describe('a refusal says in words', () => {
  test.each([
    ['letters that are not encoded', asking('GET /caf\xc3\xa9?q HTTP/1.1'), 'percent-encoded'],
    ['letters in a query that are not encoded', asking('GET /?q=caf\xc3\xa9 HTTP/1.1'), 'percent-encoded'],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'HTTP/2'],
    ['another version', asking('GET /a HTTP/2.0'), 'HTTP/2.0'],
    ['TLS', '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03', 'TLS'],
    ['no Host', 'GET /a HTTP/1.1\r\n\r\n', 'no Host'],
    ['a head that is too large', withFields('a:b\r\n'.repeat(20_000)), '--max-header'],
  ])('what is wrong: %s', async (_name, octets, words) => {
    const { bodies } = await sendRaw(octets);
    expect(JSON.parse(bodies[0] ?? '')).toMatchObject({ detail: expect.stringContaining(words) });
  });
});

test('a head that drips in without end is refused in time', async () => {
  await using upstream = await Upstream.start(answering(ok('never')));
  await using proxy = await TestProxy.start(upstream.url, { clientSendTimeout: 100, lingerTimeout: 20 });
  using client = await Client.connect(proxy.port);
  await client.send('GET /a HTTP/1.1\r\nHost: x\r\n');
  const drip = setInterval(() => void client.send('A: b\r\n'), 20);
  expect((await client.response()).status).toBe(408);
  clearInterval(drip);
  expect(await client.end()).toBe('fin');
  expect(upstream.connections.length).toBe(0);
});
