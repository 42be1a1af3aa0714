/** Requests whose end two servers could see at two places: refused, or passed on with one length, byte for byte. */

import { describe, expect, test } from 'vitest';
import { expanded, expectPassed, expectRefused, sendRaw } from '../harness/raw-request.ts';

/** Several strings on one line. */
const split = (text: string): string[] => text.split('|');

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n';
const CHUNKED = 'Transfer-Encoding: chunked\r\n';
const HELLO = '5\r\nhello\r\n0\r\n\r\n';

const post = (fields: string, after: string): string =>
  `POST /a HTTP/1.1\r\nHost: x\r\n${fields}\r\n${after}`;
const old = (fields: string, after: string): string => post(fields, after).replace('HTTP/1.1', 'HTTP/1.0');
const inChunks = (body: string): string => post(CHUNKED, body);
/** A chunked body whose first size line is given. */
const sized = (line: string): string => inChunks(`${line}\r\nhello\r\n0\r\n\r\n`);
const trailed = (lines: string): string => inChunks(`5\r\nhello\r\n0\r\n${lines}\r\n`);

/** What every request with the body "hello" is to the upstream, whatever framed it. */
const ONE_REQUEST = 'POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n<ours x>\r\nhello';

describe('never reaches the upstream, nor does what comes after it:', () => {
  test.each<[fields: string, status: number]>([
    [`${CHUNKED}Content-Length: 5\r\n`, 400],
    [`Content-Length: 5\r\n${CHUNKED}`, 400],
    [`Content-Length: 0\r\n${CHUNKED}`, 400],
    ['Content-Length: 5\r\nTransfer-Encoding: identity\r\n', 400],
    ['Transfer-Encoding: identity\r\nContent-Length: 5\r\n', 400],
    ['Transfer-Encoding:\r\nContent-Length: 5\r\n', 400],
    ['Transfer-Encoding: identity\r\n', 400],
    ['Transfer-Encoding:\r\n', 400],
    ['Transfer-Encoding: xchunked\r\n', 400],
    ['Transfer-Encoding: x-chunked\r\n', 400],
    ['Transfer-Encoding: chunkedx\r\n', 400],
    ['Transfer-Encoding: chunked;q=1\r\n', 400],
    ['Transfer-Encoding: "chunked"\r\n', 400],
    ['Transfer-Encoding: \xa0chunked\r\n', 400],
    ['Transfer-Encoding: \x0bchunked\r\n', 400],
    ['Transfer-Encoding: \x0cchunked\r\n', 400],
    ['Transfer-Encoding: chunked\t\r\n', 400],
    ['Transfer-Encoding: chunked\0\r\n', 400],
    ['Transfer-Encoding: chunked,\r\n', 400],
    ['Transfer-Encoding: chunked, identity\r\n', 400],
    ['Transfer-Encoding: chunked, chunked\r\n', 400],
    [`${CHUNKED}${CHUNKED}`, 400],
    [`${CHUNKED}Transfer-Encoding: identity\r\n`, 400],
    [`${CHUNKED}transfer-encoding: x\r\n`, 400],
    [`Transfer-Encoding: identity\r\n${CHUNKED}`, 501],
    [`Transfer-Encoding: x\r\n${CHUNKED}`, 501],
    ['Transfer-Encoding: identity, chunked\r\n', 501],
    ['Transfer-Encoding: gzip, chunked\r\n', 501],
    ['Transfer-Encoding : chunked\r\n', 400],
    [' Transfer-Encoding: chunked\r\n', 400],
    ['X: y\r\n Transfer-Encoding: chunked\r\n', 400],
    ['Transfer-Encoding:\r\n chunked\r\n', 400],
    ['Transfer-Encoding: chunked\r\n , identity\r\n', 400],
    ['X: y\nTransfer-Encoding: chunked\r\n', 400],
    ['X: y\rTransfer-Encoding: chunked\r\n', 400],
  ])('a chunked body under %j', async (fields, status) => {
    await expectRefused(post(fields, HELLO), status);
  });

  test.each([CHUNKED, `Content-Length: 5\r\n${CHUNKED}`])('in HTTP/1.0, %j', async (fields) => {
    await expectRefused(old(fields, HELLO), 400);
  });

  test.each([
    ...split('5, 5|5, 6|+5|-5|0x5|5.0|5e0|"5"|5 5||\x0b5|\xb2|5;a'),
    ...split('9007199254740992|9223372036854775808|18446744073709551616|18446744073709551621'),
    ...split('\r\n 5|5\r\n 0|5\r\nContent-Length: 5|5\r\nContent-Length: 6|6\r\ncontent-length: 5'),
  ])('a Content-Length of %j', async (value) => {
    await expectRefused(post(`Content-Length: ${value}\r\n`, 'hello'), 400);
  });

  test('a Content-Length with a space before its colon', async () => {
    await expectRefused(post('Content-Length : 5\r\n', 'hello'), 400);
  });

  test.each([
    ...split('0x5|-5|+5| 5|5 |5\t|5 ;a||g|0_5|5;a\0|5;a\rb|5;a\nb|5;a="'),
    ...split('10000000000000000|10000000000000005'),
  ])('a chunk of size %j', async (line) => {
    await expectRefused(sized(line), 400);
  });

  test.each([
    ['5\nhello\r\n0\r\n\r\n'],
    ['5;a\nhello\r\n0\r\n\r\n'],
    ['5\r\nhello\n0\r\n\r\n'],
    ['5\r\nhello\r0\r\n\r\n'],
    ['5\r\nhello0\r\n\r\n'],
    ['5\r\nhelloXX0\r\n\r\n'],
    ['4\r\nhello\r\n0\r\n\r\n'],
    ['5\r\nhello\r\n0\n\n'],
    ['5\r\nhello\r\n0\r\n\n'],
    ['5\r\nhello\r\n0\r\r\n'],
  ])('the chunks %j', async (chunks) => {
    await expectRefused(inChunks(chunks), 400);
  });

  test.each([
    'A B: c\r\n',
    'GET / HTTP/1.1\r\n',
    'A: b\r\n c\r\n',
    'A: b\nC: d\r\n',
    'A: \0\r\n',
    'Content-Length: 50\r\n',
    CHUNKED,
  ])('the trailers %j', async (lines) => {
    await expectRefused(trailed(lines), 400);
  });

  test('trailers of 100 KB, and a chunk extension of 20 KB', async () => {
    await expectRefused(trailed(`A: ${'x'.repeat(100_000)}\r\n`), 431);
    await expectRefused(sized(`5;${'a'.repeat(20_000)}`), 413);
  });

  /** The smuggled request is no more than bytes of a chunk that never ends. */
  test.each(['100000000', '100000005', '20000000000000', 'ffffffffffffffff'])(
    'a chunk of size 0x%s that the client leaves behind',
    async (size) => {
      const { statuses, reached } = await sendRaw(sized(size) + SMUGGLED, { closesAtOnce: true });
      expect({ statuses, reached }).toEqual({ statuses: [400], reached: '' });
    },
  );
});

describe('is one request with one length to the upstream:', () => {
  test.each([
    ['Content-Length: 5 \r\n'],
    ['Content-Length:\t5\r\n'],
    ['Content-Length: 005\r\n'],
    ['Connection: Content-Length, Host\r\nContent-Length: 5\r\n'],
  ])('"hello" under %j', async (fields) => {
    await expectPassed(post(fields, 'hello'), ONE_REQUEST);
  });

  test.each([
    'Transfer-Encoding: CHUNKED\r\n',
    'transfer-encoding:chunked\r\n',
    'Transfer-Encoding:\tchunked\r\n',
    'Transfer-Encoding: ,chunked\r\n',
    'Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n',
  ])('"hello" in chunks under %j', async (fields) => {
    await expectPassed(post(fields, HELLO), ONE_REQUEST);
  });

  test.each([
    '00000000000000000000000005\r\nhello\r\n0000\r\n\r\n',
    '5;a=b;c="d;\\"e"\r\nhello\r\n0;x\r\n\r\n',
    '1\r\nh\r\n4\r\nello\r\n0\r\n\r\n',
    '5\r\nhello\r\n0\r\nHost: evil\r\nAuthorization: s\r\nX-Forwarded-For: 9.9.9.9\r\nConnection: A\r\n\r\n',
  ])('the chunks %j', async (chunks) => {
    await expectPassed(inChunks(chunks), ONE_REQUEST);
  });

  test('names that only resemble the framing go on beside it', async () => {
    const fields = 'Transfer_Encoding: chunked\r\nContent_Length: 7\r\nContent-Length: 5\r\n';
    await expectPassed(post(fields, 'hello'), ONE_REQUEST.replace('Content-Length: 5\r\n', fields));
  });

  test.each(['GET', 'HEAD', 'DELETE', 'TRACE', 'OPTIONS'])(
    'the body of a %s, be it a request itself',
    async (method) => {
      const outcome = await sendRaw(
        `${method} /a HTTP/1.1\r\nHost: x\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
        { method },
      );
      const upstream = `${method} /a HTTP/1.1\r\nHost: x\r\nContent-Length: ${SMUGGLED.length}\r\n<ours x>\r\n${SMUGGLED}`;
      expect(outcome.reached).toBe(expanded(upstream, outcome));
      expect(outcome.statuses).toEqual([200]);
    },
  );

  test.each(['GET', 'DELETE'])('the chunks of a %s', async (method) => {
    const outcome = await sendRaw(`${method} /a HTTP/1.1\r\nHost: x\r\n${CHUNKED}\r\n${HELLO}`);
    expect(outcome.reached).toBe(expanded(ONE_REQUEST.replace('POST', method), outcome));
  });
});
