/**
 * A process that uses a middleware and then closes it in its server: it ends on its own if nothing is left. It says what
 * its clients got, and how many files there are.
 */

import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMiddleware } from '../../src/middleware.ts';

async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

const upstream = createServer((request, response) => {
  if (request.url === '/silent') upstream.emit('silent');
  else request.resume().on('end', () => response.end('x'));
});
const spoolDir = mkdtempSync(join(tmpdir(), 'lastbyte-test-'));
const lastbyte = createMiddleware({
  target: await listening(upstream),
  admin: 0,
  memoryPerBody: 0,
  shutdownTimeout: 300,
  spoolDir,
});
const server = createServer(lastbyte.middleware).on('upgrade', lastbyte.upgrade);
const url = await listening(server);
await lastbyte.ready;

const whole = await fetch(url, { method: 'POST', body: 'x'.repeat(300_000) });
const waits = fetch(`${url}/silent`, { method: 'POST', body: 'x'.repeat(300_000) });
await once(upstream, 'silent');
server.close();
await lastbyte.close();
const refused = await waits;
process.stdout.write(`${whole.status} ${refused.status}, ${readdirSync(spoolDir).length} files\n`);
rmdirSync(spoolDir);
upstream.close();
upstream.closeAllConnections();
