/** Request lines, targets, Hosts and fields that are broken or meant to deceive: what of them reaches the upstream. */

import { describe, expect, test } from 'vitest';
import { expanded, expectPassed, expectRefused, sendRaw } from '../harness/raw-request.ts';

/** Several strings on one line. */
const split = (text: string): string[] => text.split('|');

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n';

const asking = (line: string, fields = ''): string => `${line}\r\nHost: x\r\n${fields}\r\n`;
const withFields = (fields: string): string => asking('GET /a HTTP/1.1', fields);
const forHost = (line: string): string => `GET /a HTTP/1.1\r\n${line}\r\n`;

describe('a request line is refused, and nothing after it is read:', () => {
  test.each([
    ...split('GET\t/a\tHTTP/1.1|GET /a HTTP/1.1 | GET /a HTTP/1.1|GET /a b HTTP/1.1|GET HTTP/1.1'),
    ...split('GE:T /a HTTP/1.1|PRI /a HTTP/1.1|G\0ET /a HTTP/1.1'),
    ...split('GET /a HTTP/0.9|GET /a HTTP/1.10|GET /a HTTP/01.1'),
    ...split('GET /a HTTP/1|GET /a http/1.1|GET /a HTTPS/1.1|GET /a ICE/1.0|GET /a|GET /a\nX: HTTP/1.1'),
    ...split('GET /a\0 HTTP/1.1|GET /a\x01 HTTP/1.1|GET /a\x7f HTTP/1.1|GET /a\rb HTTP/1.1'),
    ...split('GET /a\xff HTTP/1.1|GET a HTTP/1.1|GET \\a HTTP/1.1|GET ?a HTTP/1.1|GET * HTTP/1.1'),
    ...split('GET http://u:p@evil.test/a HTTP/1.1|GET ftp://evil.test/a HTTP/1.1'),
    ...split('GET http:///a HTTP/1.1'),
    ...split('GET file:///etc/passwd HTTP/1.1|GET ws://evil.test/a HTTP/1.1|GET evil.test:80 HTTP/1.1'),
  ])('%j', async (line) => {
    await expectRefused(asking(line));
  });

  test.each(split('FROB|get|PURGEX|Q|DESCRIBE|VERSION-CONTROL'))(
    '%s, which is no method here',
    async (method) => {
      const { bodies } = await expectRefused(asking(`${method} /a HTTP/1.1`), 501);
      expect(bodies[0]).toContain(`The method \\"${method}\\" is not supported`);
    },
  );

  test.each(split('GET /a HTTP/1.2|GET /a HTTP/1.9|GET /a HTTP/2.0|GET /a HTTP/3.0'))(
    '%s, a version that is not spoken here',
    async (line) => {
      const { bodies } = await expectRefused(asking(line), 505);
      expect(bodies[0]).toContain('Use HTTP/1.1');
    },
  );

  test.each(['evil.test:443', '/a', 'x:80'])('CONNECT %s', async (target) => {
    await expectRefused(asking(`CONNECT ${target} HTTP/1.1`), 405);
  });

  test.each([
    ['HTTP/0.9', 'GET /a\r\n\r\n'],
    ['lines that end in LF', 'GET /a HTTP/1.1\nHost: x\n\n'],
    ['a first line that ends in LF', 'GET /a HTTP/1.1\nHost: x\r\n\r\n'],
    ['a first line that ends in CR', 'GET /a HTTP/1.1\rHost: x\r\n\r\n'],
    ['a first field that is folded', 'GET /a HTTP/1.1\r\n A: b\r\nHost: x\r\n\r\n'],
  ])('%s', async (_name, bytes) => {
    await expectRefused(bytes);
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

  /** Whatever it names, there is one upstream; and what Host says is ignored (RFC 9112 section 3.2.2). */
  test.each<[line: string, upstream: string, host: string]>([
    ['GET http://evil.test/a HTTP/1.1', 'GET /a HTTP/1.1', 'evil.test'],
    ['GET HTTPS://evil.test:1/a HTTP/1.1', 'GET /a HTTP/1.1', 'evil.test:1'],
    ['GET http://evil.test?q HTTP/1.1', 'GET /?q HTTP/1.1', 'evil.test'],
    ['OPTIONS http://evil.test HTTP/1.1', 'OPTIONS * HTTP/1.1', 'evil.test'],
  ])('%j', async (line, upstream, host) => {
    await expectPassed(asking(line), `${upstream}\r\nHost: ${host}\r\n<ours ${host}>\r\n`);
  });

  test('HTTP/1.0 with an absolute target and without a Host', async () => {
    const upstream = 'GET /a HTTP/1.1\r\nHost: evil.test\r\n<ours evil.test 1.0>\r\n';
    await expectPassed('GET http://evil.test/a HTTP/1.0\r\n\r\n', upstream);
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

describe('what stands after a request', () => {
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
  ])('that %s is no request', async (_name, bytes) => {
    const { statuses, reached } = await sendRaw(bytes + SMUGGLED);
    expect(statuses).toEqual([200]);
    expect(reached).not.toContain('smuggled');
  });

  test('with a body one byte longer than it says is refused; the request itself is answered', async () => {
    const outcome = await sendRaw(`POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nhello${SMUGGLED}`);
    // What is left of it begins with "oGET": a well-formed method, but an unknown one.
    expect(outcome.statuses).toEqual([200, 501]);
    const upstream = 'POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n<ours x>\r\nhell';
    expect(outcome.reached).toBe(expanded(upstream, outcome));
  });
});
