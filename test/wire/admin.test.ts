/** The admin listener, spoken to in raw bytes. */

import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, test } from 'vitest';
import { createAdminServer } from '../../src/server/admin.ts';
import type { AdminOptions, AdminServer } from '../../src/server/admin.ts';

const open: AdminServer[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((admin) => admin.close()));
});

const notAskedYet: (ready: boolean) => void = () => undefined;

async function started(options: Partial<AdminOptions> = {}): Promise<AdminServer> {
  const admin = createAdminServer({
    ready: () => Promise.resolve(true),
    host: '127.0.0.1',
    port: 0,
    ...options,
  });
  await admin.start();
  open.push(admin);
  return admin;
}

interface Reply {
  readonly status: number;
  readonly fields: ReadonlyMap<string, string>;
  readonly body: string;
}

/** Sends the bytes and reads to the FIN. */
async function exchange(admin: AdminServer, request: string): Promise<Reply> {
  const { hostname, port } = new URL(admin.url);
  const socket = connect(Number(port), hostname);
  socket.write(request, 'latin1');
  const reply = await text(socket);
  const [head = '', ...rest] = reply.split('\r\n\r\n');
  const [statusLine = '', ...lines] = head.split('\r\n');
  const fields = new Map(
    lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
  );
  return { status: Number(statusLine.split(' ')[1]), fields, body: rest.join('\r\n\r\n') };
}

function ask(
  admin: AdminServer,
  path: string,
  more: { method?: string; host?: string; fields?: string } = {},
): Promise<Reply> {
  const { method = 'GET', host = 'localhost', fields = '' } = more;
  return exchange(admin, `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${fields}\r\n`);
}

describe('health', () => {
  test('is ok while the process serves, whatever becomes of the upstream', async () => {
    const admin = await started({ ready: () => Promise.resolve(false) });
    const reply = await ask(admin, '/healthz?from=compose');
    expect([reply.status, reply.body]).toEqual([200, 'ok\n']);
    expect(reply.fields.get('Cache-Control')).toBe('no-store');
    expect(reply.fields.get('X-Content-Type-Options')).toBe('nosniff');
    expect(reply.fields.get('Content-Security-Policy')).toContain("default-src 'none'");
  });

  test('responds to HEAD with the length and without the body', async () => {
    const reply = await ask(await started(), '/healthz', { method: 'HEAD' });
    expect([reply.status, reply.fields.get('Content-Length'), reply.body]).toEqual([200, '3', '']);
  });
});

describe('readiness', () => {
  test('is 200 when the upstream takes connections', async () => {
    expect((await ask(await started(), '/readyz')).status).toBe(200);
  });

  test('is 503 with a sentence when it does not', async () => {
    const reply = await ask(await started({ ready: () => Promise.resolve(false) }), '/readyz');
    expect([reply.status, reply.body]).toEqual([
      503,
      expect.stringMatching(/^The upstream cannot be reached.*\.\n$/),
    ]);
  });

  test('is 503 when asking fails', async () => {
    const admin = await started({ ready: () => Promise.reject(new Error('x')) });
    expect((await ask(admin, '/readyz')).status).toBe(503);
  });

  test('asks the upstream once for all who ask at once, and again for the next', async () => {
    let asked = 0;
    let answer = notAskedYet;
    const admin = await started({
      ready: () => {
        asked += 1;
        return new Promise((resolve) => {
          answer = resolve;
        });
      },
    });
    const replies = [ask(admin, '/readyz'), ask(admin, '/readyz')];
    // The health page is answered after them, so both questions have been taken.
    await ask(admin, '/healthz');
    await ask(admin, '/healthz');
    answer(true);
    expect((await Promise.all(replies)).map(({ status }) => status)).toEqual([200, 200]);
    expect(asked).toBe(1);
    const next = ask(admin, '/readyz');
    await expect.poll(() => asked).toBe(2);
    answer(false);
    expect((await next).status).toBe(503);
  });
});

describe('what is not there', () => {
  test('is a 404 problem that names what is', async () => {
    const reply = await ask(await started(), '/nothing');
    expect(reply.fields.get('Content-Type')).toBe('application/problem+json');
    expect(JSON.parse(reply.body)).toEqual({
      type: 'about:blank',
      title: 'Not Found',
      status: 404,
      detail: 'There is no such page here. There are: /healthz, /readyz.',
    });
  });

  test.each(['POST', 'DELETE', 'OPTIONS'])('is %s: a 405 problem with Allow', async (method) => {
    const reply = await ask(await started(), '/healthz', { method });
    expect([reply.status, reply.fields.get('Allow'), JSON.parse(reply.body).status]).toEqual([
      405,
      'GET, HEAD',
      405,
    ]);
  });

  test('is answered after a large body was read, so that the response arrives', async () => {
    const body = 'x'.repeat(3_000_000);
    const admin = await started();
    const reply = await exchange(
      admin,
      `POST /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    expect(reply.status).toBe(405);
  });
});

describe('the guard', () => {
  test.each([
    '127.0.0.1',
    '127.0.0.1:8081',
    '192.0.2.7:1',
    '[::1]',
    '[::1]:8081',
    'localhost:80',
    'LocalHost',
    'a.localhost',
    'localhost.',
  ])('lets Host: %s in', async (host) => {
    expect((await ask(await started(), '/healthz', { host })).status).toBe(200);
  });

  test.each([
    'evil.test',
    'localhost.evil.test',
    'evillocalhost',
    '127.0.0.1.evil.test',
    '[evil.test]',
    '::1',
    'a@localhost',
    '',
  ])('refuses Host: %s', async (host) => {
    const reply = await ask(await started(), '/healthz', { host });
    expect([reply.status, reply.body.includes('DNS rebinding')]).toEqual([421, true]);
  });

  test('lets the configured admin host in', async () => {
    const admin = await started({ host: 'localhost' });
    expect((await ask(admin, '/healthz', { host: 'localhost:1' })).status).toBe(200);
  });

  test('refuses a page of another origin, and one without an origin', async () => {
    const admin = await started();
    for (const origin of ['http://evil.test', 'null', 'http://localhost:9', 'http://localhost.evil.test']) {
      const reply = await ask(admin, '/healthz', { fields: `Origin: ${origin}\r\n` });
      expect([origin, reply.status]).toEqual([origin, 403]);
    }
    const own = await ask(admin, '/healthz', {
      host: 'localhost:8081',
      fields: 'Origin: http://localhost:8081\r\n',
    });
    expect(own.status).toBe(200);
  });
});

describe('closing', () => {
  test('ends silent and idle connections at once', async () => {
    const admin = await started();
    const { hostname, port } = new URL(admin.url);
    const silent = connect(Number(port), hostname);
    const idle = connect(Number(port), hostname);
    idle.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await Promise.all([once(silent, 'connect'), once(idle, 'data')]);
    const ended = [once(silent, 'close'), once(idle, 'close')];
    silent.resume();
    const startedMs = performance.now();
    await admin.close();
    await Promise.all(ended);
    // The deadline for connections that are busy is a second: these need none of it.
    expect(performance.now() - startedMs).toBeLessThan(900);
  });

  test('lets a response under way arrive', async () => {
    let answer = notAskedYet;
    const asked = new Promise<void>((resolve) => {
      void started({
        ready: () => {
          resolve();
          return new Promise((settle) => {
            answer = settle;
          });
        },
      });
    });
    await expect.poll(() => open.length).toBe(1);
    const [admin] = open;
    if (admin === undefined) throw new Error('it did not start');
    const reply = ask(admin, '/readyz');
    await asked;
    const closed = admin.close();
    answer(true);
    expect((await reply).status).toBe(200);
    await closed;
  });

  test('twice, or without a start, is no error', async () => {
    const admin = await started();
    await Promise.all([admin.close(), admin.close()]);
    await createAdminServer({ ready: () => Promise.resolve(true), host: '127.0.0.1', port: 0 }).close();
  });
});

test('a port in use is the error of the start, and the address is told as it can be opened', async () => {
  const admin = await started();
  const port = Number(new URL(admin.url).port);
  const second = createAdminServer({ ready: () => Promise.resolve(true), host: '127.0.0.1', port });
  await expect(second.start()).rejects.toMatchObject({ code: 'EADDRINUSE' });
  const ipv6 = createAdminServer({ ready: () => Promise.resolve(true), host: '::1', port: 8081 });
  expect(ipv6.url).toBe('http://[::1]:8081');
});
