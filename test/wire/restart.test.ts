// What becomes of requests with a body when the upstream's process is replaced under them.

import { describe, expect, test } from 'vitest';
import { Client, valueOf } from '../harness/client.ts';
import { TestProxy } from '../harness/proxy.ts';
import { Upstream, ok } from '../harness/upstream.ts';
import type { UpstreamConnection } from '../harness/upstream.ts';

const POST = 'POST /form HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc';
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

/** Takes the request up aloud, as Python's servers do, reads its body and answers. */
async function readAloud(connection: UpstreamConnection): Promise<void> {
  await connection.request();
  await connection.send(CONTINUE);
  await connection.body(3);
  await connection.send(ok('read', 'Connection: close\r\n'));
}

describe('a POST', () => {
  test('that is reset while its body is withheld is sent again: the upstream never had it', async () => {
    await using upstream = await Upstream.start(async (connection, index) => {
      await connection.request();
      if (index === 0) return connection.reset();
      await connection.body(3);
      await connection.send(ok('second', 'Connection: close\r\n'));
    });
    await using proxy = await TestProxy.start(upstream.url, { bodyHold: 30 });
    using client = await Client.connect(proxy.port);
    await client.send(POST);
    expect((await client.response()).body.toString()).toBe('second');
    expect(upstream.connections[0]?.received.toString().endsWith('\r\n\r\n')).toBe(true);
    expect((await proxy.record()).attempts.map(({ reason }) => reason)).toEqual(['first', 'retry']);
  });

  test('that is closed in order is not sent again: its head had been read', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      connection.fin();
    });
    await using proxy = await TestProxy.start(upstream.url, { bodyHold: '60s', bodyHoldMax: '60s' });
    using client = await Client.connect(proxy.port);
    await client.send(POST);
    expect((await client.response()).status).toBe(502);
    expect(upstream.connections).toHaveLength(1);
  });

  test('whose body was sent is sent again when the 100 (Continue) that always comes did not', async () => {
    await using upstream = await Upstream.start(async (connection, index) => {
      if (index !== 1) return await readAloud(connection);
      await connection.request(3);
      connection.reset();
    });
    await using proxy = await TestProxy.start(upstream.url, { bodyHold: 10, bodyHoldMax: '60s' });
    using client = await Client.connect(proxy.port);
    await client.send(POST);
    expect((await client.response()).body.toString()).toBe('read');
    await client.send(POST);
    expect((await client.response()).body.toString()).toBe('read');
    const { attempts } = await proxy.record(1);
    expect(attempts.map(({ evidence }) => evidence.requestBody)).toEqual(['whole', 'whole']);
    expect(upstream.connections).toHaveLength(3);
  });

  test('to another route than the one that says 100 (Continue) is not sent again for its silence', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      const request = await connection.request();
      if (request?.target === '/form') {
        await connection.send(CONTINUE);
        await connection.body(3);
        return await connection.send(ok('read', 'Connection: close\r\n'));
      }
      await connection.body(3);
      connection.reset();
    });
    await using proxy = await TestProxy.start(upstream.url, { bodyHold: 10, bodyHoldMax: '60s' });
    using client = await Client.connect(proxy.port);
    await client.send(POST);
    expect((await client.response()).status).toBe(200);
    await client.send(POST.replace('/form', '/charge'));
    expect((await client.response()).status).toBe(502);
    expect(upstream.requests.map(({ target }) => target)).toEqual(['/form', '/charge']);
  });

  test('that was taken up is never sent again', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send(CONTINUE);
      await connection.body(3);
      connection.reset();
    });
    await using proxy = await TestProxy.start(upstream.url, { bodyHold: 10 });
    using client = await Client.connect(proxy.port);
    await client.send(POST);
    expect((await client.response()).status).toBe(502);
    expect(upstream.connections).toHaveLength(1);
    expect((await proxy.record()).sentence).toContain('without a byte of an answer');
  });

  test('that was taken up, with its body still withheld, is never sent again', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send(CONTINUE);
      connection.reset();
    });
    await using proxy = await TestProxy.start(upstream.url, { bodyHold: '60s', bodyHoldMax: '60s' });
    using client = await Client.connect(proxy.port);
    await client.send(POST);
    expect((await client.response()).status).toBe(502);
    expect(upstream.connections).toHaveLength(1);
  });
});

describe('an upstream that does not know Expect', () => {
  test('and refuses it with 417 is asked again without it', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      const request = await connection.request();
      if (request === null) return;
      const expects = valueOf(request.fields, 'expect') !== undefined;
      const refusal = 'HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';
      await connection.send(expects ? refusal : ok('fine', 'Connection: close\r\n'));
    });
    await using proxy = await TestProxy.start(upstream.url, { bodyHold: '60s', bodyHoldMax: '60s' });
    using client = await Client.connect(proxy.port);
    await client.send(POST);
    expect((await client.response()).body.toString()).toBe('fine');
    await client.send(POST);
    expect((await client.response()).body.toString()).toBe('fine');
    const expectations = upstream.requests.map(({ fields }) => valueOf(fields, 'expect'));
    expect(expectations).toEqual(['100-continue', undefined, undefined]);
  });
});
