/** A client of the admin listener may end its connection in any way, at any moment: nobody else notices. */

import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setImmediate as othersTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createAdminServer } from '../../src/server/admin.ts';
import type { AdminServer } from '../../src/server/admin.ts';
import type { AdminPage } from '../../src/observe/pages.ts';
import { askAdmin } from '../harness/admin.ts';
import { Inspected } from '../harness/inspected.ts';
import { answering, ok } from '../harness/upstream.ts';

const uncaught: unknown[] = [];
const note = (error: unknown): void => {
  uncaught.push(error);
};

beforeEach(() => {
  uncaught.length = 0;
  process.on('uncaughtException', note).on('unhandledRejection', note);
});
afterEach(() => {
  process.off('uncaughtException', note).off('unhandledRejection', note);
});

async function connected(url: string | null): Promise<Socket> {
  const { hostname, port } = new URL(url ?? '');
  const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

const written = (socket: Socket, bytes: string): Promise<void> =>
  new Promise((resolve) => {
    socket.write(bytes, 'latin1', () => resolve());
  });

/** Until both sides are closed. */
async function closed(socket: Socket): Promise<void> {
  socket.resume();
  if (!socket.closed) await once(socket, 'close');
}

const ENDINGS: Readonly<Record<string, (socket: Socket) => void>> = {
  FIN: (socket) => socket.end(),
  RST: (socket) => socket.resetAndDestroy(),
};

/** Each writes a part of the exchange, after which the connection is ended. */
const PHASES: Readonly<Record<string, (socket: Socket, request: string) => Promise<void>>> = {
  'before the head is whole': (socket, request) => written(socket, request.slice(0, 20)),
  'before the body is whole': (socket, request) =>
    written(socket, request.replace('\r\n\r\n', '\r\nContent-Length: 2000\r\n\r\n{')),
  'right after the request': (socket, request) => written(socket, request),
  'after the first bytes of the response': async (socket, request) => {
    const read = once(socket, 'readable');
    await written(socket, request);
    await read;
  },
  'after the same request twice': async (socket, request) => {
    const read = once(socket, 'readable');
    await written(socket, request + request);
    await read;
  },
};

const ROUTES = [
  'GET /',
  'GET /page/main.js',
  'GET /healthz',
  'GET /readyz',
  'GET /metrics',
  'GET /api/exchanges',
  'GET /api/exchanges/ID',
  'POST /api/exchanges/ID/replay',
  'GET /api/events?since=0',
  'GET /api/summary',
  'GET /api/har',
  'GET /nothing',
];

describe.each(Object.keys(ENDINGS))('a %s', (ending) => {
  test.each(Object.keys(PHASES))('%s ends that connection and nothing else, on each route', async (phase) => {
    await using inspected = await Inspected.start(answering(ok('x'.repeat(1000))));
    const id = await inspected.exchange('GET /a');
    const sockets = await Promise.all(
      ROUTES.map(async (route) => {
        const socket = await connected(inspected.proxy.proxy.adminUrl);
        const post = route.startsWith('POST') ? 'Content-Type: application/json\r\n' : '';
        const request = `${route.replace('ID', id)} HTTP/1.1\r\nHost: localhost\r\n${post}\r\n`;
        await PHASES[phase]?.(socket, request);
        ENDINGS[ending]?.(socket);
        return socket;
      }),
    );
    // What happens now is told to whoever still watches.
    await inspected.exchange('GET /b');
    await Promise.all(sockets.map(closed));
    const seen = await askAdmin(inspected.proxy, '/api/exchanges?path=/b');
    expect([seen.status, uncaught]).toEqual([200, []]);
  });
});

test('a watcher that stalls and then half-closes is gone, and its connection with it', async () => {
  const sinks: { write(text: string): void; readonly congested: boolean }[] = [];
  const left: number[] = [];
  const admin = createAdminServer({
    ready: () => Promise.resolve(true),
    host: '127.0.0.1',
    port: 0,
    pages: [
      {
        path: '/endless',
        method: 'GET',
        respond: () => ({
          kind: 'stream',
          contentType: 'text/plain',
          open: (sink) => {
            const at = sinks.push(sink) - 1;
            return () => left.push(at);
          },
        }),
      },
    ],
  });
  await admin.start();
  try {
    const socket = await connected(admin.url);
    socket.write('GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await expect.poll(() => sinks.length).toBe(1);
    const [sink] = sinks;
    for (let part = 0; part < 100; part += 1) sink?.write('x'.repeat(100_000));
    expect(sink?.congested).toBe(true);
    socket.end();
    while (left.length === 0) {
      sink?.write('more');
      await othersTurn();
    }
    sink?.write('in the same turn');
    await closed(socket);
    expect([left, uncaught]).toEqual([[0], []]);
  } finally {
    await admin.close();
  }
});

describe('a response that is made in parts', () => {
  async function serving(parts: () => Iterable<string>): Promise<AdminServer> {
    const page: AdminPage = {
      path: '/parts',
      method: 'GET',
      respond: () => ({ kind: 'parts', contentType: 'text/plain', fields: {}, parts }),
    };
    const ready = (): Promise<boolean> => Promise.resolve(true);
    const admin = createAdminServer({ ready, host: '127.0.0.1', port: 0, pages: [page] });
    await admin.start();
    return admin;
  }

  test('lets others have their turn between two parts', async () => {
    let answered = false;
    let made = 0;
    const admin = await serving(function* () {
      for (; made < 1_000_000; made += 1) {
        if (answered) return;
        yield 'x';
      }
    });
    try {
      const long = fetch(`${admin.url}/parts`);
      await (await fetch(`${admin.url}/healthz`)).text();
      answered = true;
      expect((await (await long).text()).length).toBe(made);
      expect(made).toBeLessThan(1_000_000);
    } finally {
      await admin.close();
    }
  });

  test('is made no faster than it is taken, and no further when its client leaves', async () => {
    let made = 0;
    let over = false;
    const admin = await serving(function* () {
      try {
        for (;;) {
          made += 1;
          yield 'x'.repeat(100_000);
        }
      } finally {
        over = true;
      }
    });
    try {
      const socket = await connected(admin.url);
      socket.write('GET /parts HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await once(socket, 'readable');
      // Until the kernel and the stream are full: then as many turns pass without another part.
      for (let before = -1, quiet = 0; quiet < 1000; quiet = before === made ? quiet + 1 : 0) {
        before = made;
        await othersTurn();
      }
      expect(made).toBeLessThan(300);
      socket.destroy();
      await expect.poll(() => over).toBe(true);
      expect(uncaught).toEqual([]);
    } finally {
      await admin.close();
    }
  });
});

describe('an error of our own', () => {
  const broken = (): never => {
    throw new Error('broken');
  };
  /** Neither before its head nor in the middle of it does a response that fails end anything but itself. */
  const pages: readonly AdminPage[] = [
    { path: '/answer', method: 'GET', respond: broken },
    { path: '/later', method: 'GET', respond: () => Promise.reject(new Error('broken')) },
    {
      path: '/parts',
      method: 'GET',
      respond: () => ({
        kind: 'parts',
        contentType: 'text/plain',
        fields: {},
        *parts() {
          yield 'begun';
          broken();
        },
      }),
    },
    {
      path: '/stream',
      method: 'GET',
      respond: () => ({ kind: 'stream', contentType: 'text/plain', open: broken }),
    },
  ];

  test.each([
    ['/answer', 'HTTP/1.1 500 Internal Server Error'],
    ['/later', 'HTTP/1.1 500 Internal Server Error'],
    ['/parts', 'begun'],
    ['/stream', ''],
  ])('on %s is told, and the listener goes on', async (path, seen) => {
    const told: unknown[] = [];
    const admin = createAdminServer({
      ready: () => Promise.resolve(true),
      host: '127.0.0.1',
      port: 0,
      pages,
      failed: (error) => told.push(error),
    });
    await admin.start();
    try {
      const socket = await connected(admin.url);
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
      const reply = await text(socket).catch(() => 'cut');
      expect(reply).toContain(seen);
      // What was begun has no end: no last chunk.
      expect(reply.endsWith('0\r\n\r\n')).toBe(false);
      expect((await fetch(`${admin.url}/healthz`)).status).toBe(200);
      expect([told, uncaught]).toEqual([[new Error('broken')], []]);
    } finally {
      await admin.close();
    }
  });

  test('in what watches is told, counted, and touches no exchange', async () => {
    await using inspected = await Inspected.start(answering(ok('x')));
    const { proxy } = inspected.proxy;
    const told = once(proxy, 'adminError');
    proxy.emit('closed', Object.create(null, { id: { get: broken } }));
    expect(await told).toEqual([new Error('broken')]);
    await inspected.exchange('GET /');
    const { body } = await askAdmin(inspected.proxy, '/metrics');
    expect(body).toContain('\nlastbyte_admin_errors_total 1\n');
    expect(uncaught).toEqual([]);
  });
});
