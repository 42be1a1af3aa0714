/** A scripted set of exchanges: whole, saved by another try, waited for, cut, withheld, the client's own fault. */

import { setTimeout as pause } from 'node:timers/promises';
import type { Inspected } from '../harness/inspected.ts';
import { Upstream, ok } from '../harness/upstream.ts';
import type { Script, UpstreamConnection } from '../harness/upstream.ts';

const REPORT = JSON.stringify({
  rows: Array.from({ length: 40 }, (_, at) => ({ id: at, name: `row ${at}` })),
});
const CUT_HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 51200\r\n\r\n';

/** One pixel, as PNG. */
const PICTURE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

/** Answers by path, each time with the little delay that makes a timeline worth looking at. */
export function scripted(delayMs: number): Script {
  /** Times that /flaky was asked. */
  let flaky = 0;
  return async (connection) => {
    for (;;) {
      const request = await connection.request();
      if (request === null) break;
      const { target, fields } = request;
      const length = fields.findIndex((one) => one.toLowerCase() === 'content-length');
      if (target.startsWith('/export') || (target.startsWith('/flaky') && flaky++ === 0)) {
        await connection.body(length < 0 ? 0 : Number(fields[length + 1]));
        await pause(delayMs);
        await cut(connection, delayMs);
        return;
      }
      if (target === '/picture') {
        const head = ok('', 'Content-Type: image/png\r\n').replace('Length: 0', `Length: ${PICTURE.length}`);
        await connection.send(Buffer.concat([Buffer.from(head), PICTURE]));
        continue;
      }
      if (target === '/until-the-end') {
        await connection.send('HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nno length');
        break;
      }
      if (target.startsWith('/upload')) {
        await pause(delayMs);
        await connection.send(ok('{"kept":true}', 'Content-Type: application/json\r\nConnection: close\r\n'));
        connection.fin();
        return;
      }
      await connection.body(length < 0 ? 0 : Number(fields[length + 1]));
      await pause(delayMs);
      await connection.send(
        ok(target.startsWith('/report') ? REPORT : 'fine', 'Content-Type: application/json\r\n'),
      );
    }
    connection.fin();
  };
}

/** Sends a part, lets it arrive, and resets. */
async function cut(connection: UpstreamConnection, delayMs: number): Promise<void> {
  await connection.send(CUT_HEAD + REPORT.padEnd(30_000).slice(0, 30_000));
  await pause(Math.max(20, delayMs));
  connection.reset();
}

/** All kinds once, oldest first; returns the ids. */
export async function playAll(inspected: Inspected): Promise<Readonly<Record<Played, string>>> {
  const whole = await inspected.exchange('GET /report?token=s3cr3t&page=2');
  const retried = await inspected.exchange('GET /flaky/items');
  const withheld = await inspected.exchange('POST /upload', 'x'.repeat(2048));
  const posted = await inspected.exchange('POST /report', '{"password":"hunter2","name":"Ada"}');
  const truncated = await inspected.exchange('POST /export', '{"year":2026}');
  return { whole, retried, withheld, posted, truncated };
}

type Played = 'whole' | 'retried' | 'withheld' | 'posted' | 'truncated';

/** A request that comes while nobody listens; then the upstream comes up. Returns its id. */
export async function playWait(inspected: Inspected, delayMs: number): Promise<string> {
  const { port } = inspected.upstream;
  await inspected.upstream[Symbol.asyncDispose]();
  const asked = inspected.exchange('GET /report/after-a-restart');
  await pause(delayMs);
  await using back = await Upstream.start(scripted(10), port);
  void back;
  return await asked;
}
