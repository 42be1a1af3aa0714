/** Secrets are taken out of fields and URLs, and nothing else is. */

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { redactFields, redactUrl } from '../../../src/observe/redact.ts';

describe('header fields', () => {
  test.each([
    ['Authorization', 'Bearer abc.def', 'Bearer [redacted]'],
    ['authorization', 'Basic dXNlcjpwYXNz', 'Basic [redacted]'],
    ['Authorization', 'AWS4-HMAC-SHA256 Credential=x', 'AWS4-HMAC-SHA256 [redacted]'],
    ['Authorization', 'abcdef', '[redacted]'],
    ['Authorization', 'secret words', '[redacted]'],
    ['Proxy-Authorization', 'Digest username="x"', 'Digest [redacted]'],
    ['Cookie', 'sessionid=1; theme=dark', '[redacted]'],
    ['Set-Cookie', 'sessionid=1; HttpOnly', '[redacted]'],
    ['X-Api-Key', '1', '[redacted]'],
    ['X-CSRFToken', '1', '[redacted]'],
    ['X-XSRF-TOKEN', '1', '[redacted]'],
    ['X-Amz-Security-Token', '1', '[redacted]'],
    ['My-Client-Secret', '1', '[redacted]'],
    ['X-Password', '1', '[redacted]'],
    ['X-Auth', '1', '[redacted]'],
    ['Referer', 'https://a.test/?token=1&page=2', 'https://a.test/?token=[redacted]&page=2'],
    ['Location', '/next?code=1', '/next?code=[redacted]'],
    ['Host', 'a.test', 'a.test'],
    ['WWW-Authenticate', 'Basic realm="a"', 'Basic realm="a"'],
    ['Sec-WebSocket-Key', 'x3JJHMbDL1EzLkh9GBhXDw==', 'x3JJHMbDL1EzLkh9GBhXDw=='],
    ['Idempotency-Key', '42', '42'],
    ['Content-Type', 'text/plain; charset=token', 'text/plain; charset=token'],
  ])('%s: %s is shown as %s', (name, value, shown) => {
    expect(redactFields([name, value])).toEqual([name, shown]);
  });

  test('keep their names, case, order and duplicates', () => {
    const fields = ['Accept', 'a', 'COOKIE', '1', 'accept', 'b', 'cookie', '2'];
    expect(redactFields(fields)).toEqual([
      'Accept',
      'a',
      'COOKIE',
      '[redacted]',
      'accept',
      'b',
      'cookie',
      '[redacted]',
    ]);
  });

  test('may be any list of any strings', () => {
    fc.assert(fc.property(fc.array(fc.string()), (fields) => redactFields(fields).length === fields.length));
  });
});

describe('a URL', () => {
  test.each([
    ['/a?token=1', '/a?token=[redacted]'],
    ['/a?x=1&access_token=2&y=3', '/a?x=1&access_token=[redacted]&y=3'],
    ['/a?API_KEY=1;key=2', '/a?API_KEY=[redacted];key=[redacted]'],
    ['/a?to%6ben=1', '/a?to%6ben=[redacted]'],
    ['/a?user[password]=1', '/a?user[password]=[redacted]'],
    ['/a?X-Amz-Signature=1&X-Amz-Date=2', '/a?X-Amz-Signature=[redacted]&X-Amz-Date=2'],
    ['/a?code=1&state=2', '/a?code=[redacted]&state=2'],
    ['/a?sig=1&sessionid=2&secret', '/a?sig=[redacted]&sessionid=[redacted]&secret'],
    ['/cb#access_token=1&n=2', '/cb#access_token=[redacted]&n=2'],
    ['/a?next=/b?token=1', '/a?next=/b?token=[redacted]'],
    ['/a?next=%2Fb%3Ftoken%3D1', '/a?next=[redacted]'],
    ['http://user:pass@a.test/b', 'http://[redacted]@a.test/b'],
    ['//user@a.test/b', '//[redacted]@a.test/b'],
    ['/a?u=http://u:p@a.test/', '/a?u=http://[redacted]@a.test/'],
    ['/a?monkey=1&decode=2&q=a%20b&mail=me@a.test', '/a?monkey=1&decode=2&q=a%20b&mail=me@a.test'],
    ['/@user/a//b@c', '/@user/a//b@c'],
    ['/a?%=1&%zz=2&=3&&', '/a?%=1&%zz=2&=3&&'],
    ['*', '*'],
    ['', ''],
  ])('%s is shown as %s', (url, shown) => {
    expect(redactUrl(url)).toBe(shown);
  });

  test('may be any string, and is redacted only once', () => {
    const unit = fc.constantFrom(
      '?',
      '#',
      '&',
      ';',
      '=',
      '%',
      '2',
      '5',
      '@',
      '/',
      ':',
      'a',
      'token',
      'ü',
      '\u0000',
    );
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit })), (url) => {
        const shown = redactUrl(url);
        expect(redactUrl(shown)).toBe(shown);
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ['the start of an authority', '//'],
    ['parameters', '?a'],
    ['nested escapes', '?a=%25'],
    ['escapes of escapes', '25'],
    ['at signs', '@:'],
  ])('of 64 KiB of %s takes no longer than a moment', (_what, unit) => {
    const url = `/?a=%${unit.repeat(Math.floor(65_536 / unit.length))}`;
    const startedMs = performance.now();
    redactUrl(url);
    // Quadratic work would take many seconds; this bound is far from both.
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  });
});
