// Bodies that together need more room than there is: they wait for one another, as long as that can help.

import { once } from 'node:events';
import { expect, test } from 'vitest';
import { Client } from '../harness/client.ts';
import { TestProxy } from '../harness/proxy.ts';
import { Upstream, answering, ok } from '../harness/upstream.ts';
import type { Script } from '../harness/upstream.ts';

const MIB = 1024 * 1024;
/** More than the kernel's buffers hold between a proxy and a client that does not read. */
const BODY = 'x'.repeat(12 * MIB);
const GET = 'GET /a HTTP/1.1\r\nHost: x\r\n\r\n';
const ROOM_FOR_ONE = { memoryPerBody: 0, diskTotal: '16mb' } as const;

test('a response waits while another is on its way to a slow client', async () => {
  await using upstream = await Upstream.start(answering(ok(BODY)));
  await using proxy = await TestProxy.start(upstream.url, { ...ROOM_FOR_ONE, spoolWait: '60s' });
  using slow = await Client.connect(proxy.port);
  await slow.send(GET);
  await once(slow.socket, 'data');
  slow.socket.pause();
  using second = await Client.connect(proxy.port);
  await second.send(GET);
  while (upstream.requests.length < 2) await new Promise((resolve) => setImmediate(resolve));
  slow.socket.resume();
  const answers = await Promise.all([slow.response(), second.response()]);
  expect(answers.map(({ status, body }) => [status, body.length])).toEqual([
    [200, BODY.length],
    [200, BODY.length],
  ]);
});

test('a response that finds no memory is not held up by the slow client that has it', async () => {
  await using upstream = await Upstream.start(answering(ok(BODY)));
  await using proxy = await TestProxy.start(upstream.url, { memoryTotal: '16mb' });
  using slow = await Client.connect(proxy.port);
  await slow.send(GET);
  await once(slow.socket, 'data');
  slow.socket.pause();
  using second = await Client.connect(proxy.port);
  await second.send(GET);
  const answer = await second.response();
  expect([answer.status, answer.body.length]).toEqual([200, BODY.length]);
  slow.socket.resume();
  expect((await slow.response()).body.length).toBe(BODY.length);
});

test('an upload waits too, and its client is not taken for a slow one', async () => {
  await using upstream = await Upstream.start(async (connection) => {
    const request = await connection.request();
    if (request?.method === 'POST') await connection.body(BODY.length);
    await connection.send(ok(request?.method === 'POST' ? 'read' : BODY));
  });
  await using proxy = await TestProxy.start(upstream.url, {
    ...ROOM_FOR_ONE,
    spoolWait: '60s',
    clientSendTimeout: 500,
    withholdBody: 'off',
  });
  using slow = await Client.connect(proxy.port);
  await slow.send(GET);
  await once(slow.socket, 'data');
  slow.socket.pause();
  using uploading = await Client.connect(proxy.port);
  const head = `POST /form HTTP/1.1\r\nHost: x\r\nContent-Length: ${BODY.length}\r\n\r\n`;
  const sent = uploading.send(head + BODY);
  // Long enough for the send timeout to run out, if anything is to run out.
  await new Promise((resolve) => setTimeout(resolve, 1000));
  slow.socket.resume();
  expect((await slow.response()).body.length).toBe(BODY.length);
  await sent;
  expect((await uploading.response()).body.toString()).toBe('read');
});

test('a response that finds no room in time is refused in words', async () => {
  await using upstream = await Upstream.start(answering(ok(BODY)));
  await using proxy = await TestProxy.start(upstream.url, { ...ROOM_FOR_ONE, spoolWait: 20 });
  using slow = await Client.connect(proxy.port);
  await slow.send(GET);
  await once(slow.socket, 'data');
  slow.socket.pause();
  using second = await Client.connect(proxy.port);
  await second.send(GET);
  const refused = await second.response();
  expect([refused.status, refused.body.toString()]).toEqual([503, expect.stringContaining('--disk-total')]);
  slow.socket.resume();
  expect((await slow.response()).body.length).toBe(BODY.length);
});

/** Reads a body of `bytes` and sends one of as many, once `count` requests have been read. */
function echoing(bytes: number, count: number): Script {
  const ready: (() => void)[] = [];
  return async (connection) => {
    if ((await connection.request(bytes)) === null) return;
    await new Promise<void>((resolve) => {
      if (ready.push(resolve) === count) for (const go of ready.splice(0)) go();
    });
    await connection.send(ok('x'.repeat(bytes)));
  };
}

function upload(bytes: number): string {
  return `POST /form HTTP/1.1\r\nHost: x\r\nContent-Length: ${bytes}\r\n\r\n${'x'.repeat(bytes)}`;
}

test('an exchange whose own bodies can never fit is refused at once, and not after a wait for itself', async () => {
  await using upstream = await Upstream.start(echoing(12 * MIB, 1));
  await using proxy = await TestProxy.start(upstream.url, {
    memoryPerBody: 0,
    diskTotal: '20mb',
    spoolWait: '300s',
    withholdBody: 'off',
  });
  using client = await Client.connect(proxy.port);
  await client.send(upload(12 * MIB));
  const refused = await client.response();
  expect([refused.status, refused.body.toString()]).toEqual([503, expect.stringContaining('--disk-total')]);
});

test('of exchanges that hold requests and wait for one another with their responses, the youngest gives way', async () => {
  await using upstream = await Upstream.start(echoing(8 * MIB, 2));
  await using proxy = await TestProxy.start(upstream.url, {
    memoryPerBody: 0,
    diskTotal: '20mb',
    spoolWait: '300s',
    withholdBody: 'off',
  });
  const answers = await Promise.all(
    [1, 2].map(async () => {
      using client = await Client.connect(proxy.port);
      await client.send(upload(8 * MIB));
      return await client.response();
    }),
  );
  expect(answers.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([200, 503]);
  const [refused] = answers.filter(({ status }) => status === 503);
  expect(refused?.body.toString()).toContain('--disk-total');
});
