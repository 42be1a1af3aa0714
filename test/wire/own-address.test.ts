/** A response that names the upstream's own address does not lead the client past the proxy. */

import { describe, expect, test } from 'vitest';
import { Client, valueOf } from '../harness/client.ts';
import { TestProxy } from '../harness/proxy.ts';
import { Upstream } from '../harness/upstream.ts';
import type { ProxyOptions } from '../../src/index.ts';

interface Way {
  readonly options?: ProxyOptions;
  readonly request?: string;
}

const GET = 'GET / HTTP/1.1\r\nHost: app.test:3000\r\n';

/** What the client is sent of an upstream whose response says `<own>` for its own address. */
async function seenOf(
  response: string,
  { options = {}, request = GET }: Way,
): Promise<readonly [string, string]> {
  await using upstream = await Upstream.start(async (connection) => {
    if ((await connection.request()) === null) return;
    await connection.send(response.replaceAll('<own>', `127.0.0.1:${upstream.port}`));
  });
  await using proxy = await TestProxy.start(upstream.url, { stream: ['/s'], ...options });
  using client = await Client.connect(proxy.port);
  await client.send(`${request}\r\n`);
  const { fields } = await client.response(request.split(' ')[0]);
  client.halfClose();
  const { sentence } = await proxy.record();
  const told = ['location', 'content-location', 'refresh', 'set-cookie'].map(
    (name) => valueOf(fields, name) ?? '',
  );
  return [told.filter((value) => value !== '').join(' | '), sentence ?? ''];
}

const FOUND = 'HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: http://<own>/a?next=//<own>/\r\n\r\n';
const RENAMED = /^http:\/\/app\.test:3000\/a\?next=\/\/127\.0\.0\.1:\d+\/$/;
const UPGRADE = `${GET}Connection: Upgrade\r\nUpgrade: websocket\r\n`;

describe('a redirect to the upstream itself', () => {
  test.each<[string, Way]>([
    ['with --change-origin', { options: { changeOrigin: true } }],
    ['although Host was kept', {}],
    ['to HEAD', { request: GET.replace('GET', 'HEAD') }],
    ['on an exempted path', { request: GET.replace('/', '/s') }],
    ['that refuses an upgrade', { request: UPGRADE }],
  ])('%s goes to what the client called, and the record says so', async (_, way) => {
    const [location, sentence] = await seenOf(FOUND, way);
    expect(location).toMatch(RENAMED);
    expect(sentence).toContain('Location');
    expect(sentence).toContain('http://app.test:3000');
  });

  test('in a stream, too', async () => {
    const stream = FOUND.replace('302 Found', '200 OK').replace(
      'Length: 0',
      'Length: 0\r\nX-Accel-Buffering: no',
    );
    const [location, sentence] = await seenOf(stream, {});
    expect(location).toMatch(RENAMED);
    expect(sentence).toContain('Location');
  });

  test('goes to what the client called a trusted peer', async () => {
    const request = `${GET}X-Forwarded-Host: site.test\r\nX-Forwarded-Proto: https\r\n`;
    const [location] = await seenOf(FOUND, { request, options: { trustProxy: ['127.0.0.1'] } });
    expect(location).toMatch(/^https:\/\/site\.test\/a/);
    const [untrusted] = await seenOf(FOUND, { request });
    expect(untrusted).toMatch(RENAMED);
  });

  test('goes to the host of an absolute target', async () => {
    const request = 'GET http://site.test/ HTTP/1.1\r\nHost: app.test:3000\r\n';
    expect((await seenOf(FOUND, { request }))[0]).toMatch(/^http:\/\/site\.test\/a/);
  });

  test('stays where the client told no name', async () => {
    expect((await seenOf(FOUND, { request: 'GET / HTTP/1.0\r\n' }))[0]).toMatch(/^http:\/\/127\.0\.0\.1:/);
  });
});

test('Content-Location, Refresh and the domain of a cookie are rewritten, too', async () => {
  const fields = [
    'Content-Location: http://<own>/a',
    'Refresh: 3; url=http://<own>/b',
    'Set-Cookie: a=b; Domain=127.0.0.1',
  ];
  const [told, sentence] = await seenOf(
    `HTTP/1.1 200 OK\r\nContent-Length: 0\r\n${fields.join('\r\n')}\r\n\r\n`,
    {},
  );
  expect(told).toBe('http://app.test:3000/a | 3; url=http://app.test:3000/b | a=b; Domain=app.test');
  expect(sentence).toContain('Content-Location and Refresh and Set-Cookie');
});

test('the address of a third party is left alone, and nothing is said', async () => {
  const other = FOUND.replace('<own>', 'login.test');
  expect(await seenOf(other, { options: { changeOrigin: true } })).toEqual([
    expect.stringMatching(/^http:\/\/login\.test\/a/),
    '',
  ]);
});
