// What is said of an upstream that takes no connections: once when a request begins to wait, and to clients on this machine more.

import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { Client } from '../harness/client.ts';
import { freePort } from '../harness/ports.ts';
import { TestProxy } from '../harness/proxy.ts';
import { Upstream, answering, ok } from '../harness/upstream.ts';

const LOCAL = 'Host: localhost:8080\r\n';
const get = (fields: string): string => `GET / HTTP/1.1\r\n${fields}\r\n`;

/** On one of the ports that dev servers usually take. */
async function onUsualPort(): Promise<Upstream> {
  for (const port of [4321, 5174, 8888, 4200, 3001, 9000]) {
    try {
      return await Upstream.start(() => undefined, port);
    } catch {
      // Somebody has it: the next one, then.
    }
  }
  throw new Error('all usual ports are taken');
}

/** What a proxy without an upstream responds. */
async function refusal(proxy: TestProxy, fields: string): Promise<string> {
  using client = await Client.connect(proxy.port);
  await client.send(get(fields));
  const { status, body } = await client.response();
  expect(status).toBe(503);
  return body.toString();
}

describe('a request that begins to wait', () => {
  test('is told once for all that wait, and again the next time', async () => {
    const port = await freePort();
    await using proxy = await TestProxy.start(`${port}`, { waitForUpstream: '20s' });
    const told: string[] = [];
    proxy.proxy.on('waiting', ({ sentence }) => told.push(sentence));
    for (let time = 1; time <= 2; time += 1) {
      using first = await Client.connect(proxy.port);
      using second = await Client.connect(proxy.port);
      const begins = once(proxy.proxy, 'waiting');
      await first.send(get(LOCAL));
      await second.send(get(LOCAL));
      await begins;
      await using upstream = await Upstream.start(answering(ok('whole', 'Connection: close\r\n')), port);
      expect((await first.response()).body.toString()).toBe('whole');
      expect((await second.response()).body.toString()).toBe('whole');
      expect(told).toHaveLength(time);
      expect(upstream.requests).toHaveLength(2);
    }
    expect(told[0]).toContain(`nothing listens at http://localhost:${port} (127.0.0.1 ECONNREFUSED, ::1 E`);
    expect(told[0]).toContain('a request is waiting for it, up to 20 s');
  });

  test('is told for a path of --stream too', async () => {
    const port = await freePort();
    await using proxy = await TestProxy.start(`${port}`, { waitForUpstream: 100, stream: ['/'] });
    const begins = once(proxy.proxy, 'waiting');
    await refusal(proxy, LOCAL);
    await begins;
  });

  test('is not told when none may wait', async () => {
    await using proxy = await TestProxy.start(`${await freePort()}`, { waitForUpstream: 0 });
    const told: unknown[] = [];
    proxy.proxy.on('waiting', (notice) => told.push(notice));
    await refusal(proxy, LOCAL);
    await proxy.record();
    expect(told).toEqual([]);
  });
});

describe('another usual port that answers', () => {
  test('is named to a client on this machine, and in the event', async () => {
    await using other = await onUsualPort();
    // The ports are asked meanwhile, on a busy machine for longer than 200 ms.
    await using proxy = await TestProxy.start(`${await freePort()}`, { waitForUpstream: 2000 });
    const begins = once(proxy.proxy, 'waiting');
    const body = await refusal(proxy, LOCAL);
    expect(body).toMatch(
      new RegExp(`nothing listens there \\(ports? [\\d, and]*\\b${other.port}\\b.* on this machine\\)`),
    );
    const [notice] = await begins;
    expect(notice).toMatchObject({ answering: expect.arrayContaining([other.port]) });
  });

  test('is not named to others', async () => {
    await using other = await onUsualPort();
    await using proxy = await TestProxy.start(`${await freePort()}`, { waitForUpstream: 200 });
    for (const fields of ['Host: app.test\r\n', `${LOCAL}X-Forwarded-For: 203.0.113.7\r\n`]) {
      const body = await refusal(proxy, fields);
      expect(body).not.toContain('on this machine');
      // The exchange's own number may well hold these digits.
      expect(body.replace(/exchange:[\da-f-]+/, '')).not.toMatch(new RegExp(`\\b${other.port}\\b`));
    }
  });
});

describe('the exchange in the inspector', () => {
  test.each([
    ['buffered', {}],
    ['exempted', { stream: ['/'] }],
  ])('is linked for a client on this machine: %s', async (_, options) => {
    await using proxy = await TestProxy.start(`${await freePort()}`, {
      admin: true,
      adminPort: 0,
      ...options,
    });
    const page = await refusal(proxy, `${LOCAL}Accept: text/html\r\n`);
    const link = `${proxy.proxy.adminUrl}/#open=${(await proxy.record(0)).id}`;
    expect(page).toContain(`<a href="${link}">`);
    const problem: unknown = JSON.parse(await refusal(proxy, LOCAL));
    expect(problem).toMatchObject({
      inspector: `${proxy.proxy.adminUrl}/#open=${(await proxy.record(1)).id}`,
    });
  });

  test('is linked in the response to an upgrade', async () => {
    await using proxy = await TestProxy.start(`${await freePort()}`, { admin: true, adminPort: 0 });
    const problem: unknown = JSON.parse(
      await refusal(proxy, `${LOCAL}Connection: Upgrade\r\nUpgrade: websocket\r\n`),
    );
    expect(problem).toMatchObject({
      inspector: `${proxy.proxy.adminUrl}/#open=${(await proxy.record()).id}`,
    });
  });

  test.each([
    ['calls another name', 'Host: app.test\r\n'],
    ['comes through a proxy', `${LOCAL}X-Forwarded-For: 203.0.113.7\r\n`],
    ['comes through a tunnel', `${LOCAL}Forwarded: for=203.0.113.7\r\n`],
  ])('is not linked for a client that %s', async (_, fields) => {
    await using proxy = await TestProxy.start(`${await freePort()}`, { admin: true, adminPort: 0 });
    const body = await refusal(proxy, fields);
    expect(body).not.toContain('inspector');
    expect(body).not.toContain(new URL(proxy.proxy.adminUrl ?? '').port);
  });

  test('is not linked where there is none', async () => {
    await using proxy = await TestProxy.start(`${await freePort()}`);
    expect(await refusal(proxy, LOCAL)).not.toContain('inspector');
  });
});
