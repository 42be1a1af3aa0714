import { expect, test } from 'vitest';
import { mayNameAddress, renameOwnAddress } from '../../../src/http/rewriting.ts';
import type { Addresses } from '../../../src/http/rewriting.ts';

const LOCAL: Addresses = {
  upstream: { scheme: 'http', authority: '127.0.0.1:8000' },
  client: { scheme: 'http', authority: 'localhost:8080' },
};
const REMOTE: Addresses = {
  upstream: { scheme: 'https', authority: 'api.example.com' },
  client: { scheme: 'http', authority: 'app.test:8080' },
};
const SITE: Addresses = {
  upstream: { scheme: 'http', authority: 'example.com' },
  client: { scheme: 'https', authority: '[::1]:8443' },
};

test.each<[string, Addresses, string, string]>([
  ['Location', LOCAL, 'http://127.0.0.1:8000/a?b#c', 'http://localhost:8080/a?b#c'],
  ['location', LOCAL, 'HTTP://127.0.0.1:8000', 'http://localhost:8080'],
  ['Location', LOCAL, '//127.0.0.1:8000/a', '//localhost:8080/a'],
  ['Location', LOCAL, 'http://localhost:8000/a', 'http://localhost:8080/a'],
  ['Location', LOCAL, 'http://[::1]:8000/a', 'http://localhost:8080/a'],
  ['Location', LOCAL, 'http://0.0.0.0:8000//a', 'http://localhost:8080//a'],
  ['Content-Location', LOCAL, 'http://127.0.0.1:8000?a', 'http://localhost:8080?a'],
  ['Refresh', LOCAL, '5; url=http://127.0.0.1:8000/a', '5; url=http://localhost:8080/a'],
  ['Refresh', LOCAL, `0;URL='http://127.0.0.1:8000/a'`, `0;URL='http://localhost:8080/a'`],
  ['Refresh', LOCAL, '0, http://127.0.0.1:8000/a', '0, http://localhost:8080/a'],
  ['Refresh', LOCAL, '0;url="http://127.0.0.1:8000"', '0;url="http://localhost:8080"'],
  ['Location', REMOTE, 'https://API.example.com:443/a', 'http://app.test:8080/a'],
  ['Location', REMOTE, 'http://api.example.com/a', 'http://app.test:8080/a'],
  ['Location', SITE, 'http://example.com:80/a', 'https://[::1]:8443/a'],
  ['Location', SITE, 'https://example.com/a', 'https://[::1]:8443/a'],
  ['Set-Cookie', LOCAL, 'a=b; Domain=127.0.0.1; Path=/', 'a=b; Domain=localhost; Path=/'],
  ['Set-Cookie', REMOTE, 'a=b;domain=.Example.com', 'a=b;domain=app.test'],
  ['Set-Cookie', REMOTE, 'a=b; Secure; Domain = api.example.com', 'a=b; Secure; Domain = app.test'],
  ['Set-Cookie', SITE, 'a=b; Domain=example.com', 'a=b; Domain=[::1]'],
])('%s of %j: %j becomes %j', (name, addresses, value, renamed) => {
  expect(renameOwnAddress(['A', 'b', name, value, 'C', 'd'], addresses)).toEqual({
    fields: ['A', 'b', name, renamed, 'C', 'd'],
    renamed: [name],
  });
});

test.each<[string, Addresses, string]>([
  ['Location', LOCAL, '/a'],
  ['Location', LOCAL, 'http://localhost:8080/a'],
  ['Location', LOCAL, 'http://127.0.0.1:80001/a'],
  ['Location', LOCAL, 'http://127.0.0.1:8001/a'],
  ['Location', LOCAL, 'http://127.0.0.1/a'],
  ['Location', LOCAL, 'http://127.0.0.1:8000@evil.test/a'],
  ['Location', LOCAL, 'http://127.0.0.1:8000.evil.test/a'],
  ['Location', LOCAL, 'http://evil.test/?http://127.0.0.1:8000/'],
  ['Location', LOCAL, 'ftp://127.0.0.1:8000/'],
  // From http to https: rewritten, it would lead back to where it came from.
  ['Location', LOCAL, 'https://127.0.0.1:8000/a'],
  ['Location', REMOTE, 'https://www.example.com/a'],
  ['Refresh', LOCAL, '5'],
  ['Refresh', LOCAL, '5; url=/a'],
  ['Set-Cookie', LOCAL, 'a=b; Path=/'],
  ['Set-Cookie', REMOTE, 'a=b; Domain=other.test'],
  ['Set-Cookie', REMOTE, 'a=b; Domain=ample.com'],
  ['Set-Cookie', REMOTE, 'a=Domain=api.example.com'],
  [
    'Set-Cookie',
    { ...REMOTE, client: { scheme: 'http', authority: 'www.example.com' } },
    'a=b; Domain=example.com',
  ],
  ['Link', LOCAL, '<http://127.0.0.1:8000/a>'],
])('%s of %j stays %j', (name, addresses, value) => {
  const fields = ['A', 'b', name, value];
  const result = renameOwnAddress(fields, addresses);
  expect(result.fields).toBe(fields);
  expect(result.renamed).toEqual([]);
});

test('only four fields may name an address, by their names', () => {
  for (const name of ['location', 'Content-Location', 'REFRESH', 'Set-Cookie']) {
    expect(mayNameAddress(['A', 'b', name, ''])).toBe(true);
  }
  expect(mayNameAddress(['A', 'Location', 'Link', 'Refresh'])).toBe(false);
});

test('each name is told once', () => {
  const cookie = ['Set-Cookie', 'a=b; Domain=127.0.0.1'];
  expect(renameOwnAddress([...cookie, ...cookie], LOCAL).renamed).toEqual(['Set-Cookie']);
});

test.each(['; domain', ';', ' ', '; domain = '])('takes no longer than the length of many %j', (part) => {
  const fields = ['Set-Cookie', part.repeat(60_000), 'Refresh', part.repeat(60_000)];
  expect(renameOwnAddress(fields, LOCAL).fields).toHaveLength(4);
});
