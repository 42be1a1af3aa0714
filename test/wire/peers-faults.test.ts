/** What other proxies make of an upstream that is cut after 30,000 of 51,200 bytes; none of it may happen here. */

import { describe, expect, test } from 'vitest';
import { Client, valueOf } from '../harness/client.ts';
import { TestProxy } from '../harness/proxy.ts';
import { Upstream, ok } from '../harness/upstream.ts';
import type { Script } from '../harness/upstream.ts';

const PART = 'x'.repeat(30_000);
const FAULTS = {
  'a length': `HTTP/1.1 200 OK\r\nContent-Length: 51200\r\n\r\n${PART}`,
  chunks: `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7530\r\n${PART}\r\n`,
  'no length, and HTTP/1.0': `HTTP/1.0 200 OK\r\n\r\n${PART}`,
} as const;

/** An upstream that responds to /fine, and cuts everything else as told. */
async function cutting(text: string, ending: 'fin' | 'rst'): Promise<Upstream> {
  return await Upstream.start(async (connection) => {
    for (;;) {
      const request = await connection.request();
      if (request === null) return;
      if (request.target === '/fine') {
        await connection.send(ok('fine'));
        continue;
      }
      await connection.send(text);
      if (ending === 'fin') connection.fin();
      else connection.reset();
      return;
    }
  });
}

describe.each(Object.entries(FAULTS))('a response framed by %s', (name, text) => {
  test.each(['fin', 'rst'] as const)('and cut by %s is no 200 with a part of it', async (ending) => {
    await using upstream = await cutting(text, ending);
    await using proxy = await TestProxy.start(upstream.url);
    using client = await Client.connect(proxy.port);
    await client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const response = await client.response();
    const nobodyCanTell = name.startsWith('no length') && ending === 'fin';
    expect(response.status).toBe(nobodyCanTell ? 200 : 502);
    expect(valueOf(response.fields, 'transfer-encoding')).toBeUndefined();
    if (nobodyCanTell) expect((await proxy.record()).verdict).toBe('unverifiable');
    else expect(response.body.toString()).not.toContain('xxx');
    // Neither hung, nor closed, nor followed by the text of an error.
    await client.send('GET /fine HTTP/1.1\r\nHost: x\r\n\r\n');
    expect((await client.response()).body.toString()).toBe('fine');
    expect(client.left.length).toBe(0);
  });

  test.each(['fin', 'rst'] as const)('and cut by %s names the numbers', async (ending) => {
    await using upstream = await cutting(text, ending);
    await using proxy = await TestProxy.start(upstream.url, { retries: 0 });
    using client = await Client.connect(proxy.port);
    await client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n');
    await client.response();
    const { sentence } = await proxy.record();
    expect(sentence).toContain('30,000');
    if (name === 'a length') expect(sentence).toContain('51,200');
  });
});

const LARGE = 'y'.repeat(5 * 1024 * 1024);

/**
 * Answers without a look at the body, as most dev servers do, and closes: if the body has come by then, the kernel
 * resets the connection and throws away what it has not sent yet. No other proxy keeps the body from coming.
 */
const leavesBodyUnread: Script = async (connection) => {
  if ((await connection.request()) === null) return;
  connection.socket.pause();
  await connection.send(
    `HTTP/1.1 200 OK\r\nContent-Length: ${LARGE.length}\r\nConnection: close\r\n\r\n${LARGE}`,
  );
  connection.socket.destroy();
};

const BODIES = {
  'with a length': `Content-Length: 200000\r\n\r\n${'z'.repeat(200_000)}`,
  'in chunks': `Transfer-Encoding: chunked\r\n\r\n30d40\r\n${'z'.repeat(200_000)}\r\n0\r\n\r\n`,
} as const;

describe.each(Object.entries(BODIES))('a request body %s that the upstream does not read', (_name, body) => {
  const request = `POST / HTTP/1.1\r\nHost: x\r\n${body}`;

  test('costs no byte of the response, in none of 5 attempts', async () => {
    await using upstream = await Upstream.start(leavesBodyUnread);
    await using proxy = await TestProxy.start(upstream.url, { bodyHold: '5s' });
    using client = await Client.connect(proxy.port);
    for (let attempt = 0; attempt < 5; attempt += 1) {
      await client.send(request);
      const response = await client.response();
      expect([response.status, response.body.length]).toEqual([200, LARGE.length]);
    }
    expect(upstream.requests.length).toBe(5);
  });

  test('and that is not held back costs the response, but is no 200 with a part of it', async () => {
    await using upstream = await Upstream.start(leavesBodyUnread);
    await using proxy = await TestProxy.start(upstream.url, { withholdBody: 'off' });
    using client = await Client.connect(proxy.port);
    for (let attempt = 0; attempt < 5; attempt += 1) {
      await client.send(request);
      const response = await client.response();
      // It is a race whether something is lost, as it is without us.
      if (response.status === 200) expect(response.body.length).toBe(LARGE.length);
      else expect(response.status).toBe(502);
    }
    expect(upstream.requests.length).toBe(5);
  });
});

test.each([0, 1, 2, 3, 4])(
  'a body after the response to HEAD, %i turns later, costs the next request nothing',
  async (turns) => {
    await using upstream = await Upstream.start(async (connection) => {
      for (;;) {
        const request = await connection.request();
        if (request === null) return connection.fin();
        if (request.method === 'GET') {
          await connection.send(ok('fine'));
          continue;
        }
        await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n');
        for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        await connection.send('too much');
      }
    });
    await using proxy = await TestProxy.start(upstream.url, { retries: 0 });
    using client = await Client.connect(proxy.port);
    // Pipelined: the second request goes out as soon as the first response is whole, before what is too much.
    await client.send('HEAD / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n');
    expect((await client.response('HEAD')).status).toBe(200);
    expect((await client.response()).body.toString()).toBe('fine');
  },
);
