// Django ticket 30018: a view that announces more than it sends, on a connection that is kept, hangs its client.

import path from 'node:path';
import { describe, expect, test, type TestContext } from 'vitest';
import { Client, valueOf } from '../harness/client.ts';
import { TestProxy } from '../harness/proxy.ts';
import { ServerProcess } from '../harness/process.ts';
import { need } from '../harness/need.ts';
import { pythonWith } from './python.ts';
import { whyMissing } from './servers.ts';

const APPS = path.join(import.meta.dirname, 'apps');

async function startLyingDjango(context: TestContext): Promise<ServerProcess> {
  need(context, whyMissing('Django runserver'));
  const args = (port: number): string[] => ['lying_app.py', 'runserver', '--noreload', `127.0.0.1:${port}`];
  return await ServerProcess.start((port) => ({
    file: pythonWith('django') ?? 'python3',
    args: args(port),
    cwd: APPS,
  }));
}

async function ask(
  client: Client,
  method: string,
  target: string,
  body = '',
): ReturnType<Client['response']> {
  const length = body === '' ? '' : `Content-Length: ${body.length}\r\n`;
  await client.send(`${method} ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\n${length}\r\n${body}`);
  return await client.response(method);
}

describe('a Content-Length that is larger than the body', () => {
  test('asked directly on a kept connection, the client waits for what never comes', async (context) => {
    await using server = await startLyingDjango(context);
    using client = await Client.connect(server.port);
    await client.send('GET /lies/1000/30 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
    await client.until('x'.repeat(30));
    await client.send('GET /honest HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
    await client.until('honest');
    // The next response lies in the hole of the first: no client can tell.
    expect(client.left.toString('latin1')).toMatch(
      /Content-Length: 1000\r\n(.+\r\n)*\r\nx{30}HTTP\/1\.1 200 OK/,
    );
    expect(client.ended).toBeNull();
  });

  test.for(['GET', 'POST'])(
    'through us, a %s is refused with the numbers, and the next one is answered',
    async (method, context) => {
      await using server = await startLyingDjango(context);
      await using proxy = await TestProxy.start(server.url, { bodyIdleTimeout: 300, bodyHold: 20 });
      using client = await Client.connect(proxy.port);
      const refusal = await ask(client, method, '/lies/1000/30', method === 'POST' ? 'abc' : '');
      expect(refusal.status).toBe(504);
      expect(valueOf(refusal.fields, 'proxy-status')).toContain('connection_read_timeout');
      const problem: unknown = JSON.parse(refusal.body.toString());
      expect(problem).toMatchObject({
        expected: 1000,
        received: 30,
        end: 'timeout',
        type: 'urn:lastbyte:error:response_stalled',
      });
      const next = await ask(client, 'GET', '/honest');
      expect([next.status, next.body.toString()]).toEqual([200, 'honest']);
      expect((await proxy.record()).verdict).toBe('truncated');
    },
  );

  test('through us, several at once hang nobody', async (context) => {
    await using server = await startLyingDjango(context);
    await using proxy = await TestProxy.start(server.url, { bodyIdleTimeout: 300 });
    const statuses = Array.from({ length: 20 }, async (_none, index) => {
      using client = await Client.connect(proxy.port);
      return (await ask(client, 'GET', index % 2 === 0 ? '/lies/51200/30000' : '/honest')).status;
    });
    expect(await Promise.all(statuses)).toEqual(
      Array.from({ length: 20 }, (_none, index) => (index % 2 === 0 ? 504 : 200)),
    );
  });
});

test('a Content-Length that is smaller than the body: what is announced comes, and the rest is no next response', async (context) => {
  await using server = await startLyingDjango(context);
  await using proxy = await TestProxy.start(server.url);
  using client = await Client.connect(proxy.port);
  const short = await ask(client, 'GET', '/lies/10/30');
  expect([short.status, short.body.toString()]).toEqual([200, 'x'.repeat(10)]);
  const next = await ask(client, 'GET', '/honest');
  expect([next.status, next.body.toString()]).toEqual([200, 'honest']);
});
