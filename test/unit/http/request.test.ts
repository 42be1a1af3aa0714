import { describe, expect, test } from 'vitest';
import { parseRequest } from '../../../src/http/request.ts';
import type { Request } from '../../../src/http/request.ts';

const asked = (url: string, rawHeaders: readonly string[] = [], method = 'GET'): Request =>
  parseRequest({ method, url, httpVersion: '1.1', rawHeaders });

describe('what is asked for', () => {
  test.each<[url: string, method: string, target: string, host: string | null]>([
    ['/a?b', 'GET', '/a?b', 'h:1'],
    ['http://site/a?b', 'GET', '/a?b', 'site'],
    ['http://site', 'OPTIONS', '*', 'site'],
    ['*', 'OPTIONS', '*', 'h:1'],
  ])('%s of %s is %s at %s', (url, method, target, host) => {
    expect(asked(url, ['Host', 'h:1'], method)).toMatchObject({ url, method, target, host });
  });

  test('has no site where HTTP/1.0 names none', () => {
    const request = parseRequest({ method: 'GET', url: '/', httpVersion: '1.0', rawHeaders: [] });
    expect(request).toMatchObject({ host: null, targetHost: null, minor: 0, httpVersion: '1.0' });
  });

  test('is never half there, whatever Node leaves out', () => {
    const request = parseRequest({ httpVersion: '1.1', rawHeaders: [] });
    expect(request).toMatchObject({ method: '', url: '', target: '', host: null });
  });
});

test.each<[fields: readonly string[], framing: Request['framing']]>([
  [[], { kind: 'none' }],
  [['Content-Length', '0'], { kind: 'length', length: 0 }],
  [['content-length', '12'], { kind: 'length', length: 12 }],
  [['Transfer-Encoding', 'chunked'], { kind: 'chunked' }],
  [['Content-Length', '1', 'Content-Length', '2'], { kind: 'none' }],
])('the fields %j frame %j', (fields, framing) => {
  expect(asked('/', fields).framing).toEqual(framing);
});
