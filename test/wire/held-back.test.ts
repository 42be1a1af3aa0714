/** A response that came in parts over seconds was held back: said once for each path, with what would pass it on. */

import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Inspected } from '../harness/inspected.ts';
import type { UpstreamConnection } from '../harness/upstream.ts';

/** Words that an application wrote over more than two seconds, as no stream that anybody would know. */
async function writesSlowly(connection: UpstreamConnection): Promise<void> {
  const request = await connection.request();
  if (request === null) return;
  const parts = request.target.startsWith('/at-once') ? ['a b c d'] : ['a', ' b', ' c', ' d'];
  await connection.send(
    'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n',
  );
  for (const part of parts) {
    await delay(request.target.startsWith('/soon') ? 10 : 2100 / parts.length);
    await connection.send(`${part.length.toString(16)}\r\n${part}\r\n`);
  }
  await connection.send('0\r\n\r\n');
  connection.fin();
}

test('a slow page is noted once a path, and what comes at once or soon is not', async () => {
  await using inspected = await Inspected.start(writesSlowly, { bodyIdleTimeout: 10_000 });
  const slow = await inspected.exchange('GET /chat/a;x=1?token=1');
  const atOnce = await inspected.exchange('GET /at-once');
  const soon = await inspected.exchange('GET /soon');
  const { why, severity } = await inspected.full(slow);
  expect(why).toMatch(/in 4 parts over 2(\.\d)? s .*--stream \/chat\/a$/);
  expect(severity).toBe('noted');
  const again = await inspected.full(await inspected.exchange('GET /chat/a;x=1?token=2'));
  const others = [await inspected.full(atOnce), await inspected.full(soon), again];
  expect(others.map((full) => [full.why, full.severity])).toEqual([
    [null, 'ok'],
    [null, 'ok'],
    [null, 'ok'],
  ]);
});
