import { expect, test } from 'vitest';
import { isLocalClient } from '../../../src/client/peer.ts';
import { parseRequest } from '../../../src/http/request.ts';
import type { Request } from '../../../src/http/request.ts';

function client(headers: Readonly<Record<string, string>>): Request {
  return parseRequest({
    method: 'GET',
    url: '/',
    httpVersion: '1.1',
    rawHeaders: Object.entries(headers).flat(),
  });
}

test.each([
  ['127.0.0.1', { host: 'localhost:8080' }],
  ['::1', { host: '[::1]:8080' }],
  ['::ffff:127.0.0.1', { host: '127.0.0.1' }],
])('%s with %j is on this machine', (address, headers) => {
  expect(isLocalClient(client(headers), address)).toBe(true);
});

test.each([
  ['192.0.2.7', { host: 'localhost:8080' }],
  ['127.0.0.1', { host: 'app.test' }],
  ['127.0.0.1', { host: '127.0.0.1.app.test' }],
  ['127.0.0.1', {}],
  [undefined, { host: 'localhost' }],
  ['127.0.0.1', { host: 'localhost', forwarded: 'for=192.0.2.7' }],
  ['127.0.0.1', { host: 'localhost', 'x-forwarded-for': '' }],
  ['127.0.0.1', { host: 'localhost', 'x-real-ip': '192.0.2.7' }],
  ['127.0.0.1', { host: 'localhost', via: '1.1 nginx' }],
])('%s with %j may be elsewhere', (address, headers) => {
  expect(isLocalClient(client(headers), address)).toBe(false);
});
