// A target with several addresses: this machine's loopback in both families, and names that lead to more than one.

import { once } from 'node:events';
import { createServer as createTlsServer } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { Target } from '../../src/config/settings.ts';
import { diagnose } from '../../src/index.ts';
import { openConnection } from '../../src/upstream/dial.ts';
import type { ConnectResult, LookUp } from '../../src/upstream/connection.ts';
import { Client, valueOf } from '../harness/client.ts';
import { fullQueue } from '../harness/full-queue.ts';
import { freePort } from '../harness/ports.ts';
import { TestProxy } from '../harness/proxy.ts';
import { selfSigned } from '../harness/self-signed.ts';
import { need, needForEach, whyNo } from '../harness/need.ts';
import { Upstream, answering, ok } from '../harness/upstream.ts';

const GET = 'GET / HTTP/1.1\r\nHost: app.test\r\n\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 3\r\n\r\nabc';
const UPGRADE = 'GET / HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n';

const onIPv6 = await hasIPv6();

async function hasIPv6(): Promise<boolean> {
  try {
    await using upstream = await Upstream.start(() => undefined, 0, '::1');
    return upstream.port > 0;
  } catch {
    return false;
  }
}

describe.each(onIPv6 ? ['127.0.0.1', '::1'] : ['127.0.0.1'])(
  'a server that listens on %s alone',
  (address) => {
    test.each([
      ['a port', (port: number) => `${port}`],
      [':port', (port: number) => `:${port}`],
      ['localhost:port', (port: number) => `localhost:${port}`],
      ['http://LOCALHOST:port', (port: number) => `http://LOCALHOST:${port}`],
    ])('is reached by %s', async (_, written) => {
      await using upstream = await Upstream.start(answering(ok('whole')), 0, address);
      await using proxy = await TestProxy.start(written(upstream.port));
      using client = await Client.connect(proxy.port);
      await client.send(GET);
      expect((await client.response()).body.toString()).toBe('whole');
      expect(valueOf(upstream.requests[0]?.fields ?? [], 'host')).toBe('app.test');
      expect(upstream.connections).toHaveLength(1);
      expect((await proxy.record()).attempts).toHaveLength(1);
    });

    test('is reached by a request with a body, also by the next one', async () => {
      await using upstream = await Upstream.start(answering(ok('whole'), 3), 0, address);
      await using proxy = await TestProxy.start(`${upstream.port}`, { bodyHold: 10 });
      using client = await Client.connect(proxy.port);
      for (let turn = 0; turn < 2; turn += 1) {
        await client.send(POST);
        expect((await client.response()).body.toString()).toBe('whole');
      }
      expect(upstream.connections).toHaveLength(2);
    });

    test('is reached on a path of --stream', async () => {
      await using upstream = await Upstream.start(answering(ok('whole')), 0, address);
      await using proxy = await TestProxy.start(`${upstream.port}`, { stream: ['/'] });
      using client = await Client.connect(proxy.port);
      await client.send(GET);
      expect((await client.response()).body.toString()).toBe('whole');
    });

    test('is reached by an upgrade', async () => {
      await using upstream = await Upstream.start(
        async (connection) => {
          await connection.request();
          await connection.send(
            'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhi',
          );
          connection.fin();
        },
        0,
        address,
      );
      await using proxy = await TestProxy.start(`${upstream.port}`);
      using client = await Client.connect(proxy.port);
      await client.send(UPGRADE);
      await client.until('\r\n\r\nhi');
      expect(client.left.toString()).toContain('101 Switching Protocols');
    });

    test('gets its own name as Host with --change-origin', async () => {
      await using upstream = await Upstream.start(answering(ok('whole')), 0, address);
      await using proxy = await TestProxy.start(`${upstream.port}`, { changeOrigin: true });
      using client = await Client.connect(proxy.port);
      await client.send(GET);
      await client.response();
      expect(valueOf(upstream.requests[0]?.fields ?? [], 'host')).toBe(`localhost:${upstream.port}`);
    });

    test('is found ready by /readyz', async () => {
      await using upstream = await Upstream.start(() => undefined, 0, address);
      await using proxy = await TestProxy.start(`${upstream.port}`, { admin: true, adminPort: 0 });
      expect((await fetch(`${proxy.proxy.adminUrl}/readyz`)).status).toBe(200);
    });

    test('is diagnosed, directly and through another', async () => {
      await using upstream = await Upstream.start(
        answering(ok('whole', 'Connection: close\r\n')),
        0,
        address,
      );
      const { verdict, through } = await diagnose(`${upstream.port}`, {
        tries: 1,
        scenarios: ['get-closed'],
        through: `${upstream.port}`,
      });
      expect(verdict).not.toBe('unreachable');
      expect(through?.url).toBe(`http://localhost:${upstream.port}`);
      expect(upstream.requests).toHaveLength(2);
      expect(valueOf(upstream.requests[0]?.fields ?? [], 'host')).toBe(`localhost:${upstream.port}`);
    });

    test('is waited for while it starts', async () => {
      const port = await freePort();
      await using proxy = await TestProxy.start(`${port}`, { waitForUpstream: '20s' });
      using client = await Client.connect(proxy.port);
      await client.send(GET);
      await using upstream = await Upstream.start(answering(ok('whole')), port, address);
      expect((await client.response()).body.toString()).toBe('whole');
      expect(upstream.connections).toHaveLength(1);
    });
  },
);

describe('a port on which nobody listens', () => {
  test.each([
    ['buffered', {}],
    ['exempted', { stream: ['/'] }],
  ])('is refused with each address that was dialled: %s', async (_, options) => {
    const port = await freePort();
    await using proxy = await TestProxy.start(`${port}`, options);
    using client = await Client.connect(proxy.port);
    await client.send(GET);
    const { status, body } = await client.response();
    expect(status).toBe(503);
    expect(body.toString()).toContain(
      `http://localhost:${port} refused the connection (127.0.0.1 ECONNREFUSED, ::1 E`,
    );
  });

  test('says so to a diagnosis too', async () => {
    const { verdict, summary } = await diagnose(`${await freePort()}`, { tries: 1 });
    expect(verdict).toBe('unreachable');
    expect(summary).toContain('(127.0.0.1 ECONNREFUSED, ::1 E');
  });
});

/** A name that has these addresses. */
function naming(...addresses: readonly string[]): LookUp {
  return (_host, _options, done) =>
    done(
      null,
      addresses.map((address) => ({ address })),
    );
}

/** Connects to `app.test`, and closes what it got. */
async function dial(
  port: number,
  lookUp: LookUp,
  options: { readonly tls?: boolean; readonly timeoutMs?: number; readonly insecure?: boolean } = {},
): Promise<ConnectResult> {
  const { tls = false, timeoutMs = 5000, insecure = false } = options;
  const target: Target = { kind: 'tcp', tls, host: 'app.test', port };
  const result = await openConnection({ target, insecure, timeoutMs, lookUp }).result;
  if (result.kind === 'connected') result.connection.destroy();
  return result;
}

describe('a name with several addresses', () => {
  test('is connected to where one of them listens', async () => {
    await using upstream = await Upstream.start(() => undefined);
    const result = await dial(upstream.port, naming('127.0.0.2', '127.0.0.1', '127.0.0.3'));
    expect(result.kind).toBe('connected');
  });

  test('is connected to at the second while the first is silent', async () => {
    await using silent = await fullQueue('127.0.0.2');
    await using upstream = await Upstream.start(() => undefined, silent.port);
    const result = await dial(silent.port, naming('127.0.0.2', '127.0.0.1'));
    expect(result.kind).toBe('connected');
    expect(upstream.connections).toHaveLength(1);
  });

  test('whose first address is silent and the other refuses is waited for as long as --connect-timeout says', async () => {
    await using silent = await fullQueue('127.0.0.2');
    expect(await dial(silent.port, naming('127.0.0.2', '127.0.0.1'), { timeoutMs: 600 })).toEqual({
      kind: 'failed',
      errorCode: 'ETIMEDOUT',
      timedOut: true,
      detail: '127.0.0.1 ECONNREFUSED, 127.0.0.2 silent',
    });
  });

  test('that all refuse is refused, with the word of each', async () => {
    const port = await freePort();
    expect(await dial(port, naming('127.0.0.2', '127.0.0.1', '127.0.0.2'))).toEqual({
      kind: 'failed',
      errorCode: 'ECONNREFUSED',
      timedOut: false,
      detail: '127.0.0.2 ECONNREFUSED, 127.0.0.1 ECONNREFUSED',
    });
  });

  test('is refused, not unreachable, where the machine has no network for one of them', async () => {
    // Nobody's address: the system refuses it before a packet is sent.
    const result = await dial(await freePort(), naming('255.255.255.255', '127.0.0.1'));
    expect(result).toMatchObject({ kind: 'failed', errorCode: 'ECONNREFUSED' });
  });

  test('that is not found says so', async () => {
    const notFound: LookUp = (_host, _options, done) =>
      done(Object.assign(new Error('none'), { code: 'ENOTFOUND' }), []);
    expect(await dial(1, notFound)).toEqual({
      kind: 'failed',
      errorCode: 'ENOTFOUND',
      timedOut: false,
      detail: null,
    });
  });

  test('can be given up while it is looked up, and while it is dialled', async () => {
    const target: Target = { kind: 'tcp', tls: false, host: 'app.test', port: await freePort() };
    const never = openConnection({ target, insecure: false, timeoutMs: 0, lookUp: () => undefined });
    never.cancel();
    expect(await never.result).toMatchObject({ kind: 'failed', errorCode: 'ECONNABORTED' });
    await using silent = await fullQueue('127.0.0.2');
    const dialling = openConnection({
      target: { ...target, port: silent.port },
      insecure: false,
      timeoutMs: 0,
      lookUp: naming('127.0.0.2'),
    });
    dialling.cancel();
    expect(await dialling.result).toMatchObject({ kind: 'failed', errorCode: 'ECONNABORTED' });
  });
});

const certificate = selfSigned();

describe('over TLS', () => {
  needForEach(whyNo('openssl'));

  async function tlsServer(host: string, names: string[]) {
    const SNICallback = (name: string, done: (error: null) => void): void => {
      names.push(name);
      done(null);
    };
    const server = createTlsServer({ ...certificate, SNICallback }, (socket) => {
      socket.on('error', () => undefined).resume();
    });
    server.on('tlsClientError', () => undefined);
    server.listen(0, host);
    await once(server, 'listening');
    const address: AddressInfo | string | null = server.address();
    const port = address === null || typeof address === 'string' ? 0 : address.port;
    return {
      port,
      async [Symbol.asyncDispose]() {
        const closed = once(server, 'close');
        server.close();
        await closed;
      },
    };
  }

  test('localhost is reached on ::1 alone, and is the name that is asked for', async (context) => {
    need(context, onIPv6 ? null : 'There is no ::1.');
    const names: string[] = [];
    await using server = await tlsServer('::1', names);
    const target: Target = { kind: 'tcp', tls: true, host: 'localhost', port: server.port };
    const result = await openConnection({ target, insecure: true, timeoutMs: 5000 }).result;
    expect(result.kind).toBe('connected');
    if (result.kind === 'connected') result.connection.destroy();
    expect(names).toEqual(['localhost']);
  });

  test('a name is asked for by its name at whichever address', async () => {
    const names: string[] = [];
    await using server = await tlsServer('127.0.0.1', names);
    const result = await dial(server.port, naming('127.0.0.2', '127.0.0.1'), { tls: true, insecure: true });
    expect(result.kind).toBe('connected');
    expect(names).toEqual(['app.test']);
  });

  test('a certificate that is not believed at one address is not looked for at another', async () => {
    const names: string[] = [];
    await using server = await tlsServer('127.0.0.1', names);
    const result = await dial(server.port, naming('127.0.0.1', '127.0.0.2'), { tls: true });
    expect(result).toMatchObject({
      kind: 'failed',
      errorCode: 'DEPTH_ZERO_SELF_SIGNED_CERT',
      detail: '127.0.0.1 DEPTH_ZERO_SELF_SIGNED_CERT',
    });
  });
});
