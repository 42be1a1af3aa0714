/** The proxies that are compared: each in its default configuration, and with the settings that its manual has for this. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  caddy,
  haproxy,
  httpProxy,
  lastbyte,
  mitmproxy,
  nginx,
  varnish,
  type Place,
  type Program,
} from '../../test/harness/peers.ts';
import { ServerProcess, type Command } from '../../test/harness/process.ts';

export interface ComparedProxy {
  readonly name: string;
  /** Configured for lost bytes, beyond its defaults. */
  readonly setting: string;
  /** Null: it is not on this machine. */
  readonly version: () => string | null;
  start(upstreamPort: number): Promise<{ readonly port: number } & AsyncDisposable>;
}

function compared<Settings>(
  name: string,
  { version, command }: Program<Settings>,
  setting = '',
  settings?: Settings,
): ComparedProxy {
  const start = (upstreamPort: number): ReturnType<ComparedProxy['start']> =>
    startIn((place) => command(place, settings), upstreamPort);
  return { name, setting, version, start };
}

export const COMPARED_PROXIES: readonly ComparedProxy[] = [
  compared('nginx', nginx),
  compared('HAProxy', haproxy),
  compared('Caddy', caddy),
  compared('Caddy', caddy, 'buffer_responses', { buffered: true }),
  compared('Varnish', varnish),
  compared(
    'Varnish',
    varnish,
    'do_stream = false',
    'sub vcl_backend_response { set beresp.do_stream = false; }',
  ),
  compared('mitmproxy', mitmproxy),
  compared('http-proxy', httpProxy),
  compared('lastbyte', lastbyte, '', ['--no-admin']),
];

/** On a free port; its configuration lies in a folder of its own, which goes with it. */
async function startIn(
  commandFor: (place: Place) => Command,
  upstreamPort: number,
): ReturnType<ComparedProxy['start']> {
  const folder = await mkdtemp(path.join(tmpdir(), 'lastbyte-compare-'));
  const server = await ServerProcess.start((port) => commandFor({ port, upstreamPort, folder }));
  return {
    port: server.port,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
