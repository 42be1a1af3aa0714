/** Requests that a client sends ahead of their responses: all answered in order, and only so many taken at once. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { expect, test } from 'vitest';
import { signal, turns } from '../harness/bare.ts';
import { Client } from '../harness/client.ts';
import { TestProxy } from '../harness/proxy.ts';
import { Upstream, answering, ok } from '../harness/upstream.ts';
import type { UpstreamConnection } from '../harness/upstream.ts';

const REQUESTS = 4000;
/** Most of them go out on a connection of their own, since those that were used rest. */
const FLOOD_TIMEOUT_MS = 90_000;
const PACKET_BYTES = 64 * 1024;
const request = (index: number): string =>
  `GET /${String(index).padStart(6, '0')} HTTP/1.1\r\nHost: x\r\n\r\n`;

let atWork = 0;
let mostAtWork = 0;

async function echo(connection: UpstreamConnection): Promise<void> {
  for (let one = await connection.request(); one !== null; one = await connection.request()) {
    atWork += 1;
    mostAtWork = Math.max(mostAtWork, atWork);
    await new Promise((resolve) => setImmediate(resolve));
    atWork -= 1;
    // What was answered is no longer needed, and would be searched again and again.
    await connection.send(ok(one.target));
  }
  connection.fin();
}

test(
  'a flood of them is answered in order, and read no further than one packet ahead of its responses',
  async () => {
    await using upstream = await Upstream.start(echo);
    await using proxy = await TestProxy.start(upstream.url);
    using client = await Client.connect(proxy.port);
    let parsed = 0;
    let furthest = 0;
    const onParsed = (): void => {
      parsed += 1;
      furthest = Math.max(furthest, parsed - upstream.requests.length);
    };
    subscribe('http.server.request.start', onParsed);
    const targets: string[] = [];
    const sent = client.send(Array.from({ length: REQUESTS }, (_none, index) => request(index)).join(''));
    while (targets.length < REQUESTS) targets.push((await client.response()).body.toString());
    await sent;
    unsubscribe('http.server.request.start', onParsed);
    expect(targets).toEqual(
      Array.from({ length: REQUESTS }, (_none, index) => `/${String(index).padStart(6, '0')}`),
    );
    expect(parsed).toBe(REQUESTS);
    expect(furthest).toBeLessThanOrEqual(17 + Math.ceil(PACKET_BYTES / request(0).length));
    expect(mostAtWork, 'one at a time').toBe(1);
    client.halfClose();
    expect(await client.end()).toBe('fin');
  },
  FLOOD_TIMEOUT_MS,
);

test('a flood of them with nonsense after it is answered, the nonsense too, and ended by FIN', async () => {
  await using upstream = await Upstream.start(echo);
  await using proxy = await TestProxy.start(upstream.url, { lingerTimeout: 20 });
  using client = await Client.connect(proxy.port);
  await client.send(
    `${Array.from({ length: 100 }, (_none, index) => request(index)).join('')}NONSENSE\r\n\r\n`,
  );
  for (let index = 0; index < 100; index += 1) expect((await client.response()).status).toBe(200);
  expect((await client.response()).status).toBe(400);
  expect(await client.end()).toBe('fin');
});

test(
  'a flood of them whose client half-closes at once is answered to the last',
  async () => {
    await using upstream = await Upstream.start(echo);
    await using proxy = await TestProxy.start(upstream.url);
    using client = await Client.connect(proxy.port);
    await client.send(Array.from({ length: 3000 }, (_none, index) => request(index)).join(''));
    client.halfClose();
    for (let index = 0; index < 3000; index += 1) expect((await client.response()).status).toBe(200);
    expect(await client.end()).toBe('fin');
  },
  FLOOD_TIMEOUT_MS,
);

test('a flood of them after which the connection closes is answered up to there, and no further', async () => {
  await using upstream = await Upstream.start(echo);
  await using proxy = await TestProxy.start(upstream.url, { lingerTimeout: 20 });
  using client = await Client.connect(proxy.port);
  const flood = Array.from({ length: 2000 }, (_none, index) => request(index));
  flood[49] = flood[49]?.replace('Host: x', 'Connection: close\r\nHost: x') ?? '';
  await client.send(flood.join(''));
  for (let index = 0; index < 50; index += 1) expect((await client.response()).status).toBe(200);
  expect(await client.end()).toBe('fin');
  expect(client.left.length).toBe(0);
  expect(upstream.requests.length).toBe(50);
});

test('a request with a body after many others is received whole', async () => {
  await using upstream = await Upstream.start(async (connection) => {
    for (let one = await connection.request(); one !== null; one = await connection.request()) {
      if (one.method === 'POST') await connection.body(1_000_000);
      await connection.send(ok(one.method));
    }
    connection.fin();
  });
  await using proxy = await TestProxy.start(upstream.url, { withholdBody: 'off' });
  using client = await Client.connect(proxy.port);
  const gets = Array.from({ length: 40 }, (_none, index) => request(index)).join('');
  const post = `POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n${'b'.repeat(1_000_000)}`;
  const sent = client.send(`${gets}${post}${gets}`);
  const bodies: string[] = [];
  while (bodies.length < 81) bodies.push((await client.response()).body.toString());
  await sent;
  expect(bodies.map((body, index) => (body === 'POST' ? index : -1)).filter((index) => index >= 0)).toEqual([
    40,
  ]);
});

test('an upgrade after many requests is joined, and carries both ways', async () => {
  await using upstream = await Upstream.start(async (connection) => {
    for (let one = await connection.request(); one !== null; one = await connection.request()) {
      if (one.target !== '/socket') {
        await connection.send(ok(one.target));
        continue;
      }
      await connection.send('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
      await connection.send((await connection.body(4)) ?? 'nothing');
    }
    connection.fin();
  });
  await using proxy = await TestProxy.start(upstream.url);
  using client = await Client.connect(proxy.port);
  const gets = Array.from({ length: 40 }, (_none, index) => request(index)).join('');
  await client.send(`${gets}GET /socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n`);
  for (let index = 0; index < 40; index += 1) expect((await client.response()).status).toBe(200);
  expect((await client.response()).status).toBe(101);
  await client.send('ping');
  await client.until('ping');
  client.halfClose();
  expect(await client.end()).toBe('fin');
});

test('a flood of them whose client resets is given up when the next response is written, and none after it is begun', async () => {
  const answer = signal<void>();
  await using upstream = await Upstream.start(async (connection) => {
    await connection.request();
    await answer.promise;
    await connection.send(ok('x'.repeat(1_000_000)));
    if ((await connection.request()) === null) connection.fin();
  });
  await using proxy = await TestProxy.start(upstream.url);
  using client = await Client.connect(proxy.port);
  await client.send(Array.from({ length: 500 }, (_none, index) => request(index)).join(''));
  while (upstream.requests.length === 0) await turns(1);
  client.socket.resetAndDestroy();
  await turns();
  answer.resolve();
  expect((await proxy.record()).outcome).toBe('abandoned');
  await turns();
  expect(upstream.requests.length).toBe(1);
});

test('a body that is malformed while its request waits for its turn is refused at its turn', async () => {
  await using upstream = await Upstream.start(answering(ok('first')));
  await using proxy = await TestProxy.start(upstream.url);
  using client = await Client.connect(proxy.port);
  await client.send(`${request(0)}POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`);
  expect((await client.response()).status).toBe(200);
  expect((await client.response()).status).toBe(400);
  client.halfClose();
  expect(await client.end()).toBe('fin');
});
