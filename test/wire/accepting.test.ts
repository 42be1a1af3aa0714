/** Accepting connections that the system does not hand over: Node tells of it as an `error` of the server. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { expect, test } from 'vitest';
import { Client } from '../harness/client.ts';
import { TestProxy } from '../harness/proxy.ts';
import { Upstream, answering, ok } from '../harness/upstream.ts';

const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

interface Accepted {
  readonly socket: Socket & { readonly server?: Server };
}

function isAccepted(message: unknown): message is Accepted {
  return typeof message === 'object' && message !== null && 'socket' in message;
}

/** The servers of this process on this port that accept connections meanwhile. */
async function serversOf(port: number, meanwhile: () => Promise<void>): Promise<ReadonlySet<Server>> {
  const servers = new Set<Server>();
  const note = (message: unknown): void => {
    if (!isAccepted(message)) return;
    const { server, localPort } = message.socket;
    if (server !== undefined && localPort === port) servers.add(server);
  };
  subscribe('net.server.socket', note);
  await meanwhile();
  unsubscribe('net.server.socket', note);
  return servers;
}

test('an accept that fails is told, and the proxy goes on accepting', async () => {
  await using upstream = await Upstream.start(answering(ok('whole')));
  await using proxy = await TestProxy.start(upstream.url);
  using client = await Client.connect(proxy.port);
  const [server] = await serversOf(proxy.port, async () => {
    using other = await Client.connect(proxy.port);
    await other.send(GET);
    expect((await other.response()).status).toBe(200);
  });
  const told = once(proxy.proxy, 'acceptError');
  const error = new Error('accept ENFILE');
  server?.emit('error', error);
  expect(await told).toEqual([error]);
  await client.send(GET);
  expect((await client.response()).body.toString()).toBe('whole');
  using next = await Client.connect(proxy.port);
  await next.send(GET);
  expect((await next.response()).body.toString()).toBe('whole');
});
