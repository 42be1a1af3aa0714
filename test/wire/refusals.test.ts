/** Requests that are refused for what they wish, for their size or for their time, and what the refusal says. */

import { describe, expect, test } from 'vitest';
import { Client, valueOf } from '../harness/client.ts';
import { TestProxy } from '../harness/proxy.ts';
import { expanded, expectPassed, expectRefused, sendRaw } from '../harness/raw-request.ts';
import { Upstream, answering, ok } from '../harness/upstream.ts';

/** Several strings on one line. */
const split = (text: string): string[] => text.split('|');

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n';
const KIB = 1024;

const asking = (line: string, fields = ''): string => `${line}\r\nHost: x\r\n${fields}\r\n`;
const withFields = (fields: string): string => asking('GET /a HTTP/1.1', fields);
const switching = (fields: string): string => withFields(`Connection: Upgrade\r\n${fields}`);

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
    ['Upgrade: websocket\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n', 400],
    ['Upgrade: websocket\r\nHost: y\r\n', 400],
    ['Upgrade: websocket\r\nExpect: x\r\n', 417],
  ])('with %j', async (fields, status) => {
    await expectRefused(switching(fields), status);
  });
});

describe('what is malformed is named', () => {
  const inChunks = (bytes: string): string =>
    asking('POST /a HTTP/1.1', `Transfer-Encoding: chunked\r\n`) + bytes;

  test.each<[bytes: string, status: number, words: string]>([
    [inChunks('zz\r\n'), 400, 'the size of a chunk of its body is not hexadecimal'],
    [inChunks(`${'f'.repeat(17)}\r\n`), 400, 'the size of a chunk of its body is too large'],
    [inChunks('5\r\nhello!\r\n'), 400, 'a chunk of its body does not end where its size says'],
    [inChunks('5;a\x01\r\nhello\r\n'), 400, 'a chunk extension of its body holds a character'],
    [inChunks('5\nhello\r\n'), 400, 'ends in LF without CR'],
    [inChunks('0\r\nA b: c\r\n\r\n'), 400, 'the name of a field holds a character'],
    [
      inChunks(`5;${'x'.repeat(20_000)}\r\nhello\r\n`),
      413,
      'chunk extensions of the request body are too large',
    ],
    [withFields('A: b\rc\r\n'), 400, 'holds CR without LF'],
    [withFields('A: b\0c\r\n'), 400, 'the value of a field holds a character'],
    [withFields('A: b\r\n c\r\n'), 400, 'begins with whitespace'],
    ['hello\r\n\r\n', 400, 'it does not begin with a method and a space'],
    [asking('GET /a HTTPS/1.1'), 400, 'its first line does not end in HTTP/1.1, CR and LF'],
  ])('%j', async (bytes, status, words) => {
    const { bodies } = await expectRefused(bytes, status);
    expect(bodies[0]).toContain(words);
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
  ])('%s', async (_name, bytes) => {
    await expectRefused(bytes, 431);
  });

  test('after a good request, which is answered', async () => {
    const { statuses, reached } = await sendRaw(
      `${asking('GET /a HTTP/1.1')}${asking('GET /b HTTP/1.1', `A: ${'x'.repeat(70_000)}\r\n`)}${SMUGGLED}`,
    );
    expect(statuses).toEqual([200, 431]);
    expect(reached).not.toMatch(/\/b|smuggled/);
  });

  test('but not white space that leaves nothing behind', async () => {
    const bytes = `${'\r\n'.repeat(50 * KIB)}${withFields(`A:${' '.repeat(70_000)}b\r\n`)}`;
    await expectPassed(bytes, 'GET /a HTTP/1.1\r\nHost: x\r\nA: b\r\n<ours x>\r\n');
  });
});

describe('a refusal says in words', () => {
  test.each([
    ['letters that are not encoded', asking('GET /caf\xc3\xa9?q HTTP/1.1'), 'percent-encode'],
    ['letters in a query that are not encoded', asking('GET /?q=caf\xc3\xa9 HTTP/1.1'), 'percent-encode'],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'HTTP/2'],
    ['another version', asking('GET /a HTTP/2.0'), 'HTTP/2.0'],
    ['TLS', '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03', 'TLS'],
    ['no Host', 'GET /a HTTP/1.1\r\n\r\n', 'no Host'],
    ['a head that is too large', withFields('a:b\r\n'.repeat(20_000)), '--max-header'],
  ])('what is wrong: %s', async (_name, bytes, words) => {
    const { bodies } = await sendRaw(bytes);
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

test('CONNECT is told what is allowed', async () => {
  await using upstream = await Upstream.start(answering(ok('never')));
  await using proxy = await TestProxy.start(upstream.url, { lingerTimeout: 20 });
  using client = await Client.connect(proxy.port);
  await client.send(asking('CONNECT x:1 HTTP/1.1'));
  expect(valueOf((await client.response()).fields, 'allow')).toContain('GET');
});

test('what is refused on a path that streams is not told to go on before', async () => {
  await using upstream = await Upstream.start(answering(ok('never')));
  await using proxy = await TestProxy.start(upstream.url, { stream: ['/a'], lingerTimeout: 20 });
  using client = await Client.connect(proxy.port);
  const fields = 'Host: y\r\nExpect: 100-continue\r\nContent-Length: 5\r\n';
  await client.send(asking('POST /a HTTP/1.1', fields));
  expect((await client.response()).status).toBe(400);
});
