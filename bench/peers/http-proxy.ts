/** http-proxy by itself: as its README shows it, and with an agent that keeps upstream connections. */

import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Peer, Place } from '../peer.ts';
import { RunningCommand } from '../../test/harness/process.ts';

const require = createRequire(import.meta.url);

export const httpProxy: Peer = {
  name: 'http-proxy',
  setUp: '`createProxyServer({ target }).listen(port)`, as its README shows it',
  holds: 'what-came',
  keepsAbandoned: true,
  version: installedVersion,
  start: (place) => start(place, ''),
};

export const httpProxyAgent: Peer = {
  name: 'http-proxy-agent',
  setUp: 'the same with `agent: new http.Agent({ keepAlive: true })`',
  holds: 'what-came',
  keepsAbandoned: true,
  version: installedVersion,
  start: (place) => start(place, ", agent: new (require('node:http').Agent)({ keepAlive: true })"),
};

function installedVersion(): string {
  return String(require('http-proxy/package.json').version);
}

function start({ folder, port, originPort }: Place, options: string): RunningCommand {
  const program = join(folder, 'proxy.cjs');
  const library = JSON.stringify(require.resolve('http-proxy'));
  writeFileSync(
    program,
    `require(${library}).createProxyServer({ target: 'http://127.0.0.1:${originPort}'${options} })
  .on('error', (error, request, response) => response.destroy()).listen(${port}, '127.0.0.1');
`,
  );
  return new RunningCommand({ file: process.execPath, args: [program], logPath: join(folder, 'output.log') });
}
