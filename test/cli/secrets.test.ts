/** Secrets are planted wherever a request, a response or a setting can hold one, and everything we say is searched for them. */

import { connect } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Upstream } from '../harness/upstream.ts';
import { lastbyte, startLastbyte } from '../harness/lastbyte.ts';

const SECRET = 's3cr3t';

const FIELDS = [
  `Authorization: Bearer ${SECRET}`,
  `Proxy-Authorization: Basic ${SECRET}`,
  `Cookie: session=${SECRET}; csrftoken=${SECRET}`,
  `X-Api-Key: ${SECRET}`,
  `X-Auth-Token: ${SECRET}`,
  `X-CSRFToken: ${SECRET}`,
  `Referer: http://user:${SECRET}@a.test/?token=${SECRET}#access_token=${SECRET}`,
  'Accept: text/html',
];

const NAMES = [
  'token',
  'password',
  'api_key',
  'access_token',
  'code',
  'signature',
  'X-Amz-Signature',
  'client_secret',
  'sig',
];
const QUERY = NAMES.map((name) => `${name}=${SECRET}`).join('&');

/** What the upstream does with it: each is another sentence in the log and another page for the client. */
const ANSWERS: Readonly<Record<string, string>> = {
  '/whole': `HTTP/1.1 200 OK\r\nSet-Cookie: session=${SECRET}\r\nLocation: /?code=${SECRET}\r\nContent-Length: 0\r\n\r\n`,
  '/cut': `HTTP/1.1 200 OK\r\nSet-Cookie: session=${SECRET}\r\nContent-Length: 100\r\n\r\n${SECRET}`,
  '/head-cut': `HTTP/1.1 200 OK\r\nSet-Cookie: session=${SECRET}`,
  '/no-colon': `HTTP/1.1 200 OK\r\nSet-Cookie session=${SECRET}\r\n\r\n`,
  '/no-status': `Set-Cookie: session=${SECRET}\r\n\r\n`,
  '/bare-cr': `HTTP/1.1 200 OK\r\nSet-Cookie: session=\r${SECRET}\r\n\r\n`,
  '/length': `HTTP/1.1 200 OK\r\nContent-Length: token=${SECRET}\r\n\r\n`,
  '/chunk': `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\ntoken=${SECRET}\r\n`,
  '/silent': '',
};

const requests = [
  ...Object.keys(ANSWERS).map((path) => `GET ${path}?${QUERY} HTTP/1.1\r\nHost: x`),
  `GET http://user:${SECRET}@x/?${QUERY} HTTP/1.1\r\nHost: x`,
  `GET / HTTP/1.1\r\nHost: user:${SECRET}@x`,
  `GET /?${QUERY} HTTP/1.1\r\nHost: x\r\nExpect: token=${SECRET}`,
  `GET /?${QUERY} HTTP/1.1\r\nHost: x\r\nCookie ${SECRET}`,
  `POST /?${QUERY} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3`,
  `CONNECT user:${SECRET}@x:1 HTTP/1.1\r\nHost: x`,
  `GET /head-cut?${QUERY} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c`,
];

/** What came, also before a reset: a cut stream ends by one. */
async function ask(port: number, request: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' });
  let answer = '';
  socket.on('data', (bytes) => (answer += bytes.toString('latin1'))).on('error', () => undefined);
  socket.end(`${request}\r\n${FIELDS.join('\r\n')}\r\n\r\n`, 'latin1');
  await new Promise((resolve) => {
    socket.on('close', resolve);
  });
  return answer;
}

test.each([
  ['pretty', []],
  ['json', []],
  ['combined', []],
  ['off', []],
  ['json', ['--stream', '/']],
])('no secret is in a %s log, or in a response of our own %j', async (format, more) => {
  await using upstream = await Upstream.start(async (connection) => {
    const request = await connection.request();
    const path = request?.target.split('?', 1)[0] ?? '';
    await connection.send(ANSWERS[path] ?? '');
    connection.fin();
  });
  const args = ['--port', '0', '--access-log', format, '--log-level', 'debug', '--retries', '0', ...more];
  await using command = startLastbyte([upstream.url, '--no-admin', ...args]);
  const port = Number(new URL(await command.url()).port);
  let refusals = 0;
  for (const request of requests) {
    const answer = await ask(port, request);
    if (/^HTTP\/1\.1 [45]/.test(answer)) {
      refusals += 1;
      expect(answer, request).not.toContain(SECRET);
    }
  }
  expect(refusals).toBe(requests.length - (more.length > 0 ? 3 : 1));
  command.child.kill('SIGTERM');
  const { code, stdout, stderr } = await command.finished;
  expect(code).toBe(0);
  expect(stdout.split('\n').filter((line) => line.includes(SECRET))).toEqual([]);
  expect(stderr).toBe('');
});

test('no password of a target is shown, wherever it was given', async () => {
  const target = `http://user:${SECRET}@127.0.0.1:9`;
  const folder = mkdtempSync(join(tmpdir(), 'lastbyte-secrets-'));
  try {
    const file = join(folder, 'lastbyte.yaml');
    writeFileSync(file, `target: ${target}\n`);
    for (const [args, env] of [
      [[target], {}],
      [['--target', target], {}],
      [['print-config', target], {}],
      [['print-config', '--json', target], {}],
      [[], { LASTBYTE_TARGET: target }],
      [['--config', file], {}],
    ] satisfies readonly (readonly [readonly string[], NodeJS.ProcessEnv])[]) {
      const { code, stdout, stderr } = await lastbyte(args, { env });
      expect(code).toBe(2);
      expect(stderr).toContain('contains credentials');
      expect(stdout + stderr).not.toContain(SECRET);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
