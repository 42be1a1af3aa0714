import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  checkRequest,
  headBytes,
  headTooLarge,
  otherVersion,
  refusalBeforehand,
} from '../../../src/http/request-check.ts';
import { originForm, parseRequest } from '../../../src/http/request.ts';

/** Several strings on one line. */
const split = (text: string): string[] => text.split('|');

const HOST = ['Host', 'example.com'];

const check = (
  fields: readonly string[],
  { method = 'GET', url = '/', minor = 1 }: { method?: string; url?: string; minor?: 0 | 1 } = {},
): string | null => {
  const error = checkRequest({ method, url, minor, fields });
  return error === null ? null : `${error.code}: ${error.message}`;
};

const bad = (why: string): string => `bad_request: The request is refused: ${why}.`;

describe('a request', () => {
  test('that is right is let through', () => {
    expect(check([...HOST, 'Content-Length', '5'], { method: 'POST' })).toBeNull();
    expect(check([...HOST, 'Transfer-Encoding', 'Chunked'], { method: 'POST' })).toBeNull();
    expect(check([...HOST, 'Content-Length', '5', 'content-length', '5'])).toBeNull();
    expect(check([], { minor: 0 })).toBeNull();
  });

  test('for a tunnel is refused', () => {
    expect(check(HOST, { method: 'CONNECT', url: 'a:1' })).toBe(
      'method_not_allowed: CONNECT opens a tunnel, and this proxy serves one upstream only.',
    );
  });

  test.each<[fields: readonly string[], minor: 0 | 1, refusal: string]>([
    [[], 1, bad('it has no Host field')],
    [['Host', 'a', 'host', 'a'], 1, bad('it has 2 Host fields')],
    [['Host', 'a', 'host', 'b'], 0, bad('it has 2 Host fields')],
    [['Host', ''], 1, bad('its Host "" is not a host name')],
    [['Host', 'a/b'], 0, bad('its Host "a/b" is not a host name')],
    [
      [...HOST, 'Transfer-Encoding', 'chunked', 'Content-Length', '5'],
      1,
      bad('it has both Transfer-Encoding and Content-Length'),
    ],
    [['Transfer-Encoding', 'chunked'], 0, bad('it has a Transfer-Encoding, which HTTP/1.0 does not know')],
    [[...HOST, 'Transfer-Encoding', 'gzip'], 1, bad('its last transfer coding is not chunked')],
    [[...HOST, 'Transfer-Encoding', ''], 1, bad('its last transfer coding is not chunked')],
    [[...HOST, 'Transfer-Encoding', 'chunked, gzip'], 1, bad('its last transfer coding is not chunked')],
    [
      [...HOST, 'Transfer-Encoding', 'gzip', 'Transfer-Encoding', 'chunked'],
      1,
      'coding_not_supported: The transfer coding "gzip, chunked" is not supported; only chunked is.',
    ],
    [[...HOST, 'Content-Length', '5', 'Content-Length', '6'], 1, bad('it has two Content-Lengths, 5 and 6')],
    [[...HOST, 'Content-Length', '5a'], 1, bad('its Content-Length "5a" is not a length')],
  ])('with %j in HTTP/1.%i is refused', (fields, minor, refusal) => {
    expect(check(fields, { minor })).toBe(refusal);
  });

  test.each([
    ...split('localhost|localhost:8000|my_service:80|a.b-c~d|127.0.0.1|[::1]|[::1]:8000'),
    ...split('[::ffff:1.2.3.4]:1|a:|caf%C3%A9.example|a:65535'),
  ])('for the host %s is let through', (host) => {
    expect(check(['Host', host])).toBeNull();
    expect(check(HOST, { url: `http://${host}/` })).toBeNull();
  });

  test.each([
    ...split('|:80|a b|a,b c|user@a|user:pass@a|a:b|a:65536|[::1|::1|[1.2.3.4]'),
    ...split('[::1%eth0]|a%zz|caf\xe9|a\\b|a#b|a"b|[::1]x'),
  ])('for the host %j is refused', (host) => {
    expect(check(['Host', host])).toContain('is not a host name');
    expect(check(HOST, { url: `http://${host}/` })).toContain('is neither a path nor an http URL');
  });

  test.each<[url: string, method?: string]>([
    ['/'],
    ['/a%20b?c=/d?e'],
    ['//other/path'],
    ['/{a}|b^c"\\'],
    ['/caf\xc3\xa9'],
    ['http://a'],
    ['HTTP://a:80?x'],
    ['https://a/b'],
    ['*', 'OPTIONS'],
  ])('for %j is let through', (url, method = 'GET') => {
    expect(check(HOST, { url, method })).toBeNull();
  });

  test.each([
    ...split('|*|a/b|example.com:80|ftp://a/|http:///a|http:/a|/a b|/a\tb|/a\r\nX: y'),
    ...split('/a\0|/a\x7f|/\u010a|http://a/b c|http://a\n/'),
  ])('for %j is refused', (url) => {
    expect(check(HOST, { url })).toMatch(/^bad_request: .* is neither a path nor an http URL\.$/);
  });
});

describe('the origin form', () => {
  test.each<[url: string, method: string | undefined, target: string, host: string | null]>([
    ['/a?b', undefined, '/a?b', null],
    ['*', 'OPTIONS', '*', null],
    ['http://h:1/a%2Fb/../c?d#', undefined, '/a%2Fb/../c?d#', 'h:1'],
    ['http://h', undefined, '/', 'h'],
    ['http://h?x', undefined, '/?x', 'h'],
    ['HTTPS://h/', 'GET', '/', 'h'],
    ['http://h', 'GET', '/', 'h'],
    ['http://h', 'OPTIONS', '*', 'h'],
    ['http://h/', 'OPTIONS', '/', 'h'],
    ['http://h?x', 'OPTIONS', '/?x', 'h'],
    ['http://[::1]:8000/x', 'GET', '/x', '[::1]:8000'],
  ])('of %j for %s is %j', (url, method, target, host) => {
    expect(originForm(url, method)).toEqual({ target, host });
  });

  test('of whatever was let through is a path, and holds nothing that could end a line', () => {
    const url = fc.oneof(fc.string(), fc.webUrl(), fc.webPath(), fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(url, (text) => {
        if (check(HOST, { url: text }) === null) expect(originForm(text).target).toMatch(/^\/[\x21-\xff]*$/);
      }),
      { numRuns: 1000 },
    );
  });
});

test('a head has as many bytes as its lines', () => {
  const head = 'POST /a?b HTTP/1.1\r\nHost: x\r\nA: \r\n\r\n';
  expect(headBytes('POST', '/a?b', ['Host', 'x', 'A', ''])).toBe(head.length);
});

test('what is refused for its size or its version is told the limit, and what to speak', () => {
  expect(headTooLarge(65_536)).toMatchObject({ code: 'request_head_too_large', status: 431 });
  expect(headTooLarge(65_536).message).toContain('--max-header (65536 bytes)');
  expect(otherVersion('HTTP/2')).toMatchObject({ code: 'version_not_supported', status: 505 });
  expect(otherVersion('HTTP/2').message).toContain('HTTP/2. Use HTTP/1.1');
});

describe('before anything is sent', () => {
  const LIMITS = { via: 'lastbyte-1', maxHeaderBytes: 100 };

  test.each<[what: string, httpVersion: string, fields: readonly string[], code: string | null]>([
    ['a sound request', '1.1', HOST, null],
    ['HTTP/1.0', '1.0', [], null],
    ['HTTP/0.9', '0.9', [], 'bad_request'],
    ['HTTP/2.0', '2.0', HOST, 'version_not_supported'],
    ['a head of the largest size', '1.1', [...HOST, 'A', 'x'.repeat(58)], null],
    ['a head of one byte more', '1.1', [...HOST, 'A', 'x'.repeat(59)], 'request_head_too_large'],
    ['a request without Host', '1.1', [], 'bad_request'],
    ['a request that was here before', '1.1', [...HOST, 'Via', '1.1 a, 1.1 lastbyte-1'], 'loop_detected'],
    ['a request through another of its kind', '1.1', [...HOST, 'Via', '1.1 lastbyte-2'], null],
    ['100-continue', '1.1', [...HOST, 'Expect', '100-Continue'], null],
    ['another expectation', '1.1', [...HOST, 'Expect', '100-continue, x'], 'expectation_failed'],
  ])('%s (%s) is judged by its head alone', (_what, httpVersion, rawHeaders, code) => {
    const request = parseRequest({ method: 'GET', url: '/', httpVersion, rawHeaders });
    expect(refusalBeforehand(request, LIMITS)?.code ?? null).toBe(code);
  });
});
