/** A look at an upstream that has just cut a connection: real sockets say what it sees of that. */

import { expect, test } from 'vitest';
import { openConnection } from '../../src/upstream/dial.ts';
import { Look } from '../../src/upstream/absence.ts';
import { Upstream } from '../harness/upstream.ts';
import type { Script } from '../harness/upstream.ts';

/** A look, and how many connections it has asked for. */
function lookAt({ port }: Upstream): { readonly look: Look; readonly asked: () => number } {
  let asked = 0;
  const target = { kind: 'tcp', host: '127.0.0.1', port, tls: false } as const;
  const look = new Look(() => {
    asked += 1;
    return openConnection({ target, insecure: false, timeoutMs: 1000 });
  });
  return { look, asked: () => asked };
}

const closing: Script = (connection) => connection.fin();

test('one connection that stands is enough', async () => {
  await using upstream = await Upstream.start(() => undefined);
  const { look, asked } = lookAt(upstream);
  expect(await look.run()).toBeNull();
  expect(asked()).toBe(1);
  await upstream.connections[0]?.peerEnd();
});

test('an upstream that closes each connection at once is not flooded with them', async () => {
  await using upstream = await Upstream.start(closing);
  const { look, asked } = lookAt(upstream);
  await look.run();
  // One for each 25 ms of 250.
  expect(asked()).toBeLessThanOrEqual(11);
});

test('one that is cancelled between two connections ends at once', async () => {
  await using upstream = await Upstream.start(closing);
  const { look, asked } = lookAt(upstream);
  const over = look.run();
  while (upstream.connections.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await upstream.connections[0]?.peerEnd();
  look.cancel();
  expect(await over).toBeNull();
  expect(asked()).toBeLessThanOrEqual(2);
});
