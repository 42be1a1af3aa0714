// What becomes of requests when the upstream's process is replaced under them.

import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { signal } from '../harness/bare.ts';
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

/** An upstream on one port that can go away, as a process does: its connections are reset and its listener is closed at once. */
async function restarting(script: (connection: UpstreamConnection, life: number) => Promise<void>): Promise<
  AsyncDisposable & {
    readonly url: string;
    readonly lives: readonly Upstream[];
    die: () => Promise<void>;
    comeBack: () => Promise<void>;
  }
> {
  const lives: Upstream[] = [];
  const start = async (port: number): Promise<void> => {
    const life = lives.length;
    lives.push(await Upstream.start((connection) => script(connection, life), port));
  };
  await start(0);
  const port = lives[0]?.port ?? 0;
  return {
    url: `http://127.0.0.1:${port}`,
    lives,
    die: async () => await lives.at(-1)?.[Symbol.asyncDispose](),
    comeBack: async () => await start(port),
    [Symbol.asyncDispose]: async () => await lives.at(-1)?.[Symbol.asyncDispose](),
  };
}

/** Longer than the proxy takes to find that nobody listens. */
const NOTICED_MS = 150;

describe('a POST', () => {
  test('whose head alone the upstream had when it went away is sent again', async () => {
    const asked = signal<UpstreamConnection>();
    await using upstream = await restarting(async (connection, life) => {
      await connection.request();
      if (life === 0) return asked.resolve(connection);
      await connection.body(3);
      await connection.send(ok('second', 'Connection: close\r\n'));
    });
    await using proxy = await TestProxy.start(upstream.url, { bodyHold: 100, waitForUpstream: '20s' });
    using client = await Client.connect(proxy.port);
    await client.send(POST);
    const first = await asked.promise;
    first.reset();
    await upstream.die();
    await sleep(NOTICED_MS);
    await upstream.comeBack();
    expect((await client.response()).body.toString()).toBe('second');
    expect(first.received.toString().endsWith('\r\n\r\n')).toBe(true);
    expect(upstream.lives.map(({ requests }) => requests.length)).toEqual([1, 1]);
    expect((await proxy.record()).sentence).toContain('restarted once during this request');
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

  test('whose body was sent is sent again when the 100 (Continue) that always comes did not, and the upstream went away', async () => {
    const asked = signal<UpstreamConnection>();
    let isAnswering = true;
    await using upstream = await restarting(async (connection) => {
      if (isAnswering) return await readAloud(connection);
      isAnswering = true;
      await connection.request(3);
      asked.resolve(connection);
    });
    await using proxy = await TestProxy.start(upstream.url, {
      bodyHold: 10,
      bodyHoldMax: 50,
      waitForUpstream: '20s',
    });
    using client = await Client.connect(proxy.port);
    await client.send(POST);
    expect((await client.response()).body.toString()).toBe('read');
    isAnswering = false;
    await client.send(POST);
    (await asked.promise).reset();
    await upstream.die();
    await sleep(NOTICED_MS);
    await upstream.comeBack();
    expect((await client.response()).body.toString()).toBe('read');
    const { attempts } = await proxy.record(1);
    expect(attempts.at(0)?.evidence.requestBody).toBe('whole');
    expect(upstream.lives.map(({ requests }) => requests.length)).toEqual([2, 1]);
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
    expect((await proxy.record()).sentence).toContain('without sending a response');
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

describe('a server that acts on the head alone, and resets', () => {
  test.each(['withheld', 'sent'] as const)(
    'gets a POST once, its body %s, and the client a 502',
    async (body) => {
      await using upstream = await Upstream.start(async (connection) => {
        await connection.request(body === 'sent' ? 3 : 0);
        connection.reset();
      });
      const hold = body === 'sent' ? 1 : '60s';
      await using proxy = await TestProxy.start(upstream.url, {
        bodyHold: hold,
        bodyHoldMax: '60s',
        waitForUpstream: '20s',
      });
      using client = await Client.connect(proxy.port);
      await client.send(POST);
      expect((await client.response()).status).toBe(502);
      expect(upstream.requests.length).toBe(1);
      const { attempts } = await proxy.record();
      expect(attempts.map(({ reason }) => reason)).toEqual(['first']);
    },
  );
});

describe('a GET under which the upstream goes away', () => {
  const GET = 'GET /slow HTTP/1.1\r\nHost: x\r\n\r\n';

  /** Dies under each request before the life that answers. */
  const dying = async (
    answeringLife: number,
  ): Promise<{ status: number; body: string; sentence: string; seen: number[] }> => {
    const asked = Array.from({ length: answeringLife + 1 }, () => signal<undefined>());
    await using upstream = await restarting(async (connection, life) => {
      if ((await connection.request()) === null) return;
      if (life === answeringLife) await connection.send(ok(`life ${life}`));
      asked[life]?.resolve(undefined);
    });
    await using proxy = await TestProxy.start(upstream.url, { waitForUpstream: '20s' });
    using client = await Client.connect(proxy.port);
    const answered = client.send(GET).then(async () => await client.response());
    for (let life = 0; life < answeringLife; life += 1) {
      await asked[life]?.promise;
      await upstream.die();
      await sleep(NOTICED_MS);
      if (proxy.records.length > 0) break;
      await upstream.comeBack();
    }
    const { status, body } = await answered;
    const { sentence } = await proxy.record();
    return {
      status,
      body: body.toString(),
      sentence: sentence ?? '',
      seen: upstream.lives.map(({ requests }) => requests.length),
    };
  };

  test('three times is answered by the fourth, and told that the view may have run four times', async () => {
    const { status, body, sentence, seen } = await dying(3);
    expect([status, body]).toEqual([200, 'life 3']);
    expect(seen).toEqual([1, 1, 1, 1]);
    expect(sentence).toContain('restarted 3 times during this request');
    expect(sentence).toContain('the view may have run 4 times');
  });

  test('again and again is refused in the end, with the word for it', async () => {
    const { status, sentence, seen } = await dying(20);
    expect(status).toBe(503);
    expect(seen.length).toBe(11);
    expect(sentence).toContain('restarted 11 times during this request');
    expect(sentence).not.toMatch(/attempts\).*attempts\)/);
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
