/** The API of the admin listener, over real exchanges: docs/api.md is its contract. */

import { once } from 'node:events';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { FeedReader, askAdmin } from '../harness/admin.ts';
import type { AdminReply } from '../harness/admin.ts';
import { Client } from '../harness/client.ts';
import { harFaults } from '../harness/har-schema.ts';
import { Inspected, has } from '../harness/inspected.ts';
import { TestProxy } from '../harness/proxy.ts';
import { Upstream, answering, ok } from '../harness/upstream.ts';
import type { Script } from '../harness/upstream.ts';

const idOf = (value: unknown): unknown => (has(value, 'id') ? Reflect.get(Object(value), 'id') : null);
const problemOf = ({ body }: AdminReply): unknown => JSON.parse(body);

/** The first response is cut, each one after that is whole. */
const cutFirst: Script = async (connection, index) => {
  await connection.request();
  await connection.send(index === 0 ? ok('whole').slice(0, -2) : ok('whole', 'Connection: close\r\n'));
  connection.fin();
};

describe('the list', () => {
  test('has the newest first, and says what became of each', async () => {
    await using inspected = await Inspected.start(cutFirst);
    const saved = await inspected.exchange('GET /report?token=geheim');
    const fine = await inspected.exchange('GET /other');
    const { exchanges, next } = await inspected.page();
    expect(exchanges).toMatchObject([
      {
        id: fine,
        number: 2,
        state: 'done',
        path: '/other',
        status: 200,
        bytes: 5,
        tries: 1,
        severity: 'ok',
        why: null,
      },
      {
        id: saved,
        number: 1,
        path: '/report?token=[redacted]',
        tries: 2,
        severity: 'saved',
        verdict: 'complete',
      },
    ]);
    expect(exchanges[1]?.why).toMatch(/^Complete after 2 attempts: .* after 3 of 5 bytes/);
    expect(next).toBeNull();
  });

  test('goes page by page, by number', async () => {
    await using inspected = await Inspected.start(answering(ok('x')));
    for (const path of ['/1', '/2', '/3']) await inspected.exchange(`GET ${path}`);
    const first = await inspected.page('?limit=2');
    expect([first.exchanges.map(({ path }) => path), first.next]).toEqual([['/3', '/2'], 2]);
    const second = await inspected.page(`?limit=2&before=${first.next}`);
    expect([second.exchanges.map(({ path }) => path), second.next]).toEqual([['/1'], null]);
  });

  test.each([
    ['?status=404', ['/b/2']],
    ['?status=2xx,300-399', ['/a/3', '/a/1']],
    ['?method=post', ['/b/2']],
    ['?path=/a', ['/a/3', '/a/1']],
    ['?path=/*/2', ['/b/2']],
    ['?text=B/2', ['/b/2']],
    ['?text=RELAY', []],
    ['?outcome=delivered,cut&verdict=complete', ['/a/3', '/b/2', '/a/1']],
    ['?severity=noted', ['/a/3']],
    ['?problems=1', ['/a/3']],
  ])('is narrowed by %s', async (query, paths) => {
    await using inspected = await Inspected.start(async (connection) => {
      const request = await connection.request();
      if (request?.target === '/b/2')
        await connection.send('HTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      else
        await connection.send(
          request?.target === '/a/3' ? `${ok('x')}surplus` : ok('x', 'Connection: close\r\n'),
        );
      connection.fin();
    });
    await inspected.exchange('GET /a/1');
    await inspected.exchange('POST /b/2');
    await inspected.exchange('GET /a/3');
    expect((await inspected.page(query)).exchanges.map(({ path }) => path)).toEqual(paths);
  });

  test.each([
    ['?limit=0', 'limit', /1 to 500/],
    ['?limit=many', 'limit', /1 to 500/],
    ['?status=40', 'status', /5xx/],
    ['?verdict=cut', 'verdict', /truncated/],
    ['?path=a', 'path', /begins with \//],
    ['?problems=yes', 'problems', /It is 1/],
    ['?sort=ms', 'sort', /There are: limit, before/],
  ])('refuses %s and names the parameter', async (query, parameter, detail) => {
    await using inspected = await Inspected.start(answering(ok('x')));
    const reply = await askAdmin(inspected.proxy, `/api/exchanges${query}`);
    expect(problemOf(reply)).toMatchObject({ status: 400, parameter, detail: expect.stringMatching(detail) });
    expect([reply.status, reply.type]).toEqual([400, 'application/problem+json']);
  });
});

describe('one exchange in full', () => {
  test('is a timeline of both sides, with every try', async () => {
    await using inspected = await Inspected.start(cutFirst);
    const id = await inspected.exchange('GET /report');
    await expect.poll(async () => (await inspected.full(id)).timeline.closed_by).toBe('fin');
    const full = await inspected.full(id);
    expect(full).toMatchObject({
      id,
      target: inspected.upstream.url,
      timeline: { connection: 'closes', waits: [] },
      attempts: [
        {
          reason: 'first',
          verdict: 'truncated',
          ending: 'fin',
          expected: 5,
          received: 3,
          request_body: 'none',
        },
        {
          reason: 'retry',
          verdict: 'complete',
          ending: 'message-end',
          expected: 5,
          received: 5,
          keeps_alive: false,
        },
      ],
      response: {
        status: 200,
        reason: 'OK',
        body: { bytes: 5, whole: true, encoding: 'text', content: 'whole' },
      },
      replay: { possible: true, confirm: false, why_not: null },
    });
    expect(full.attempts[0]?.response?.body).toMatchObject({ bytes: 3, content: 'who' });
    expect(full.attempts[0]?.cure).toMatch(/exception/);
    expect(full.cure).toBe(full.attempts[0]?.cure);
    expect(full.cure, 'it was').not.toContain('not retried');
    const { delivery_ms, written_ms, done_ms, client_fin_ms, our_fin_ms, closed_ms } = full.timeline;
    const moments = [delivery_ms, written_ms, done_ms, client_fin_ms, our_fin_ms, closed_ms];
    expect(moments.every((moment) => moment !== null)).toBe(true);
    expect(Number(client_fin_ms)).toBeLessThanOrEqual(Number(our_fin_ms));
    expect(full.curl).toBe(
      `curl --globoff --path-as-is http://127.0.0.1:${inspected.proxy.port}/report -H 'Host: localhost:${inspected.proxy.port}'`,
    );
  });

  test('of a refusal has our own response, and what the upstream had sent', async () => {
    await using inspected = await Inspected.start(cutFirst, { retries: 0 });
    const id = await inspected.exchange('GET /');
    const { response, attempts, severity, error } = await inspected.full(id);
    expect([response?.status, severity, error]).toEqual([502, 'problem', 'response_truncated']);
    expect(JSON.parse(response?.body?.content ?? '')).toMatchObject({ expected: 5, received: 3, end: 'FIN' });
    expect(attempts[0]?.response).toMatchObject({ status: 200, body: { content: 'who', bytes: 3 } });
  });

  test('shows a coded body decoded, and what is no text in base64', async () => {
    const coded = gzipSync('plain words');
    const binary = Buffer.from([0, 1, 2, 255]);
    await using inspected = await Inspected.start(async (connection) => {
      const request = await connection.request();
      const [body, coding] =
        request?.target === '/gzip' ? [coded, 'Content-Encoding: gzip\r\n'] : [binary, ''];
      await connection.send(
        ok('', `${coding}Connection: close\r\n`).replace('Length: 0', `Length: ${body.length}`),
      );
      await connection.send(body);
      connection.fin();
    });
    const gzip = await inspected.full(await inspected.exchange('GET /gzip'));
    expect(gzip.response?.body).toMatchObject({
      bytes: coded.length,
      encoding: 'text',
      content: 'plain words',
    });
    const binaryExchange = await inspected.full(await inspected.exchange('GET /bytes'));
    expect(binaryExchange.response?.body).toMatchObject({
      encoding: 'base64',
      content: binary.toString('base64'),
    });
  });

  test('that is not kept is a 404', async () => {
    await using inspected = await Inspected.start(answering(ok('x')));
    const reply = await askAdmin(inspected.proxy, '/api/exchanges/none');
    expect([reply.status, problemOf(reply)]).toMatchObject([
      404,
      { detail: expect.stringContaining('"none"') },
    ]);
  });

  test('of what never was a request says so', async () => {
    await using inspected = await Inspected.start(answering(ok('x')));
    using client = await Client.connect(inspected.proxy.port);
    await client.send('NONSENSE\r\n\r\n');
    await client.response();
    const { id } = await inspected.proxy.record();
    const { replay, severity, attempts } = await inspected.full(id);
    expect([replay.possible, severity, attempts]).toEqual([false, 'client', []]);
  });
});

describe('the feed', () => {
  test('says hello, then tells of an exchange as it begins and as it ends', async () => {
    await using inspected = await Inspected.start(async (connection) => {
      await connection.request();
      await answer;
      await connection.send(ok('x', 'Connection: close\r\n'));
      connection.fin();
    });
    let release = (): void => undefined;
    const answer = new Promise<void>((resolve) => {
      release = resolve;
    });
    using feed = await FeedReader.open(inspected.proxy);
    expect(feed.reply.headers['content-type']).toBe('text/event-stream');
    expect((await feed.next('hello')).data).toMatchObject({ revision: 0, number: 0 });
    expect((await feed.next('summary')).data).toMatchObject({
      exchanges: 0,
      target: inspected.upstream.url,
      diagnose: `npx lastbyte diagnose ${inspected.upstream.url}`,
    });
    const exchange = inspected.exchange('GET /slow');
    const begun = await feed.next('exchange');
    expect(begun.data).toMatchObject({ state: 'running', path: '/slow', severity: 'running', status: null });
    expect(begun.id).toBe('1');
    release();
    const id = await exchange;
    expect((await feed.next('exchange')).data).toMatchObject({
      id,
      state: 'done',
      status: 200,
      severity: 'ok',
    });
    expect((await feed.next('summary')).data).toMatchObject({ exchanges: 1, running: 0, bytes: 1 });
  });

  test('goes on where a watcher left off, and sends only what passes the filter', async () => {
    await using inspected = await Inspected.start(answering(ok('x')));
    await inspected.exchange('GET /seen');
    const { revision } = await inspected.page();
    const missed = await inspected.exchange('GET /missed');
    using late = await FeedReader.open(inspected.proxy, '/api/events', {
      headers: { 'Last-Event-ID': String(revision) },
    });
    expect((await late.next('exchange', (data) => idOf(data) === missed)).data).toMatchObject({
      path: '/missed',
    });
    using narrow = await FeedReader.open(inspected.proxy, `/api/events?since=0&path=/miss`);
    expect((await narrow.next('exchange')).data).toMatchObject({ id: missed, state: 'done' });
    expect(
      [...late.events, ...narrow.events].filter(({ data }) => has(data, 'path') && idOf(data) !== missed),
    ).toEqual([]);
  });

  test('ends with the proxy, and a 17th watcher takes the place of the one that watched longest', async () => {
    await using inspected = await Inspected.start(answering(ok('x')));
    const feeds: FeedReader[] = [];
    for (let at = 0; at < 17; at += 1) {
      const feed = await FeedReader.open(inspected.proxy);
      await feed.next('hello');
      feeds.push(feed);
    }
    const [longest, ...others] = feeds;
    await longest?.end();
    expect(others.map(({ ended }) => ended)).toEqual(others.map(() => false));
    await inspected.proxy.proxy.close();
    await Promise.all(others.map((feed) => feed.end()));
  });

  test.each(['/api/events', '/api/exchanges', '/api/summary', '/api/har'])(
    'and everything else of the API is refused to a page of another site, which could not read it: %s',
    async (path) => {
      await using inspected = await Inspected.start(answering(ok('x')));
      for (const site of ['cross-site', 'same-site']) {
        const foreign = await askAdmin(inspected.proxy, path, { headers: { 'Sec-Fetch-Site': site } });
        expect([site, foreign.status]).toEqual([site, 403]);
      }
      // A link to the inspector from anywhere may be followed.
      const headers = { 'Sec-Fetch-Site': 'cross-site' };
      expect((await askAdmin(inspected.proxy, '/', { headers })).status).toBe(200);
    },
  );
});

describe('a replay', () => {
  const post = (id: string, body: string, headers: Record<string, string> = {}) =>
    [
      `/api/exchanges/${id}/replay`,
      { method: 'POST', body, headers: { 'Content-Type': 'application/json', ...headers } },
    ] as const;

  test('sends the same request through the front door', async () => {
    await using inspected = await Inspected.start(async (connection) => {
      const request = await connection.request(5);
      await connection.send(ok(request?.body.toString() ?? '', 'Connection: close\r\n'));
      connection.fin();
    });
    const id = await inspected.exchange('POST /form?a=1&key=k', 'hello');
    const unconfirmed = await askAdmin(inspected.proxy, ...post(id, '{}'));
    expect([unconfirmed.status, problemOf(unconfirmed)]).toMatchObject([
      409,
      { detail: expect.stringContaining('"confirm": true') },
    ]);
    expect(inspected.upstream.requests.length).toBe(1);
    const reply = await askAdmin(inspected.proxy, ...post(id, '{"confirm": true}'));
    expect(reply.status).toBe(202);
    const again = await inspected.proxy.record(1);
    expect(JSON.parse(reply.body)).toEqual({ id: again.id });
    expect(again).toMatchObject({ method: 'POST', url: '/form?a=1&key=k', requestBodyBytes: 5, status: 200 });
    const [first, second] = inspected.upstream.requests;
    expect(second?.target).toBe(first?.target);
    expect((await inspected.full(again.id)).replay_of).toBe(id);
    expect((await inspected.full(id)).replay_of).toBeNull();
  });

  test('of a safe method needs no confirmation', async () => {
    await using inspected = await Inspected.start(answering(ok('x')));
    const id = await inspected.exchange('GET /');
    expect((await askAdmin(inspected.proxy, ...post(id, '{}'))).status).toBe(202);
    expect((await inspected.proxy.record(1)).status).toBe(200);
  });

  test('of a body that was not kept whole is refused', async () => {
    const body = 'x'.repeat(70_000);
    await using inspected = await Inspected.start(answering(ok('x'), body.length));
    const id = await inspected.exchange('POST /', body);
    const reply = await askAdmin(inspected.proxy, ...post(id, '{"confirm": true}'));
    expect([reply.status, problemOf(reply)]).toMatchObject([
      409,
      { detail: expect.stringContaining('65536 bytes of its body') },
    ]);
    expect((await inspected.full(id)).replay).toMatchObject({ possible: false, confirm: true });
  });

  test.each([
    ['a page of another origin', { Origin: 'http://evil.test' }, 403],
    ['a request that a browser calls cross-site', { 'Sec-Fetch-Site': 'cross-site' }, 403],
    ['what a foreign form may send', { 'Content-Type': 'text/plain' }, 415],
    ['a foreign name that points here', { Host: 'evil.test' }, 421],
  ])('is refused to %s', async (_who, headers, status) => {
    await using inspected = await Inspected.start(answering(ok('x')));
    const id = await inspected.exchange('GET /');
    expect((await askAdmin(inspected.proxy, ...post(id, '{"confirm": true}', headers))).status).toBe(status);
    expect(inspected.upstream.requests.length).toBe(1);
  });

  test.each([
    ['no JSON', 400],
    ['7', 400],
    ['x'.repeat(600_000), 413],
  ])('with a body of %.10s is refused', async (body, status) => {
    await using inspected = await Inspected.start(answering(ok('x')));
    const id = await inspected.exchange('GET /');
    expect((await askAdmin(inspected.proxy, ...post(id, body))).status).toBe(status);
    const reply = await askAdmin(inspected.proxy, `/api/exchanges/${id}/replay`);
    expect([reply.status, reply.fields['allow']]).toEqual([405, 'POST']);
  });
});

describe('the summary', () => {
  test('counts what was saved and what the upstream does', async () => {
    await using inspected = await Inspected.start(cutFirst);
    await inspected.exchange('GET /');
    await inspected.exchange('GET /');
    const summary = await inspected.summary();
    expect(summary).toMatchObject({
      url: inspected.proxy.url,
      exchanges: 2,
      running: 0,
      outcomes: { delivered: 2, refused: 0 },
      saved: { retried: 1, waited: 0, withheld: 0 },
      cut_by_upstream: 1,
      bytes: 10,
      now: { waiting: 0, spool_memory_bytes: 0 },
      upstream: { answers: 3, closes: 2, keeps_alive: 1, cut: 1, refused_connections: 0 },
    });
    expect(summary.upstream.sentences).toEqual([
      'It closes the connection after 67 % of its responses.',
      'It cut 1 answer.',
    ]);
  });
});

describe('the HAR', () => {
  test('of all, and of one, is a valid HAR 1.2', async () => {
    await using inspected = await Inspected.start(cutFirst);
    const id = await inspected.exchange('GET /a?b=c%20d&token=geheim');
    await inspected.exchange('GET /e');
    for (const query of ['', `?id=${id}`, '?status=4xx']) {
      const reply = await askAdmin(inspected.proxy, `/api/har${query}`);
      expect(reply.fields['content-disposition']).toMatch(/^attachment; filename="lastbyte.*\.har"$/);
      expect(harFaults(JSON.parse(reply.body))).toEqual([]);
    }
    const one = JSON.parse((await askAdmin(inspected.proxy, `/api/har?id=${id}`)).body);
    expect(one).toMatchObject({
      log: {
        creator: { name: 'lastbyte' },
        entries: [
          {
            request: {
              method: 'GET',
              url: `http://localhost:${inspected.proxy.port}/a?b=c%20d&token=redacted`,
              queryString: [
                { name: 'b', value: 'c d' },
                { name: 'token', value: 'redacted' },
              ],
            },
            response: { status: 200, content: { size: 5, text: 'whole' } },
            _lastbyte: { id, tries: 2, attempts: [{ verdict: 'truncated' }, { verdict: 'complete' }] },
          },
        ],
      },
    });
    expect((await askAdmin(inspected.proxy, '/api/har?id=none')).status).toBe(404);
  });
});

test('a proxy without an admin listener notes nothing, and one with it listens to events alone', async () => {
  await using upstream = await Upstream.start(answering(ok('x')));
  await using plain = await TestProxy.start(upstream.url);
  expect([plain.proxy.listenerCount('begun'), plain.proxy.listenerCount('closed')]).toEqual([0, 0]);
  await using inspected = await Inspected.start(answering(ok('x')));
  const { proxy } = inspected.proxy;
  expect([proxy.listenerCount('begun'), proxy.listenerCount('closed')]).toEqual([1, 1]);
  const begun = once(proxy, 'begun');
  await inspected.exchange('GET /');
  expect((await begun).length).toBe(1);
});
