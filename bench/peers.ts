/** What is measured: what stands in front of the origin, each set up for speed; and the origin itself. */

import { join } from 'node:path';
import {
  caddy,
  haproxy,
  httpProxy,
  lastbyte,
  nginx,
  nginxWith,
  varnish,
  type Place,
  type Program,
} from '../test/harness/peers.ts';
import { RunningCommand, type Command } from '../test/harness/process.ts';

/**
 * What of a response a peer has before it sends the first byte of it: what has come so far; a buffer of it, that it
 * sends even when the upstream cut it; or all of it, proven whole. docs/comparison.md has what clients then get.
 */
export type Holds = 'what-came' | 'unproven-buffer' | 'proven-whole';

export interface Peer {
  /** As on the command line. */
  readonly name: string;
  /** How it is set up, in a few words for the table's legend. */
  readonly setUp: string;
  readonly holds: Holds;
  /** It keeps the upstream's connection, full of bytes, when the client leaves in the middle of a response. */
  readonly keepsAbandoned?: true;
  /** Null: it is not installed. */
  readonly version: () => string | null;
  readonly command: (place: Place) => Command;
}

/** A program with these settings. */
function set<Settings>(
  { version, command }: Program<Settings>,
  settings: (place: Place) => Settings,
): Pick<Peer, 'version' | 'command'> {
  return { version, command: (place) => command(place, settings(place)) };
}

const nginxTuned = (more: string): Pick<Peer, 'version' | 'command'> =>
  set(nginx, ({ folder, upstreamPort }) => ({
    http: `${NGINX_FILES}
  access_log ${folder}/access.log;
  upstream origin { server 127.0.0.1:${upstreamPort}; keepalive 64; }`,
    pass: 'http://origin',
    location: `proxy_http_version 1.1; proxy_set_header Connection ""; ${more}`,
  }));

const NGINX_FILES = 'sendfile on;\n  keepalive_requests 100000000;\n  default_type application/octet-stream;';

/** A response that breaks off must not end it, as an exception in its listener would. */
const httpProxyTuned = (options: string): Pick<Peer, 'version' | 'command'> =>
  set(httpProxy, () => ({ options, onError: '(error, request, response) => response.destroy()' }));

export const PLAIN_HTTP_PROXY: Peer = {
  name: 'http-proxy',
  setUp: '`createProxyServer({ target }).listen(port)`, as its README shows it',
  holds: 'what-came',
  keepsAbandoned: true,
  ...httpProxyTuned(''),
};

export const LASTBYTE: Peer = {
  name: 'lastbyte',
  setUp: 'default options: admin listener, metrics and a JSON log line for each exchange, to a file',
  holds: 'proven-whole',
  ...set(lastbyte, () => ['--admin-port', '0']),
};

export const PEERS: readonly Peer[] = [
  {
    name: 'direct',
    setUp: 'no proxy: nginx that serves the files',
    holds: 'what-came',
    version: () => '-',
    // A stand-in that uses nothing: the load goes to the origin's own port.
    command: () => ({ file: 'sleep', args: ['infinity'] }),
  },
  LASTBYTE,
  PLAIN_HTTP_PROXY,
  {
    name: 'http-proxy-agent',
    setUp: 'the same with `agent: new http.Agent({ keepAlive: true })`',
    holds: 'what-came',
    keepsAbandoned: true,
    ...httpProxyTuned("agent: new (require('node:http').Agent)({ keepAlive: true })"),
  },
  {
    name: 'nginx',
    setUp:
      'one worker, `proxy_buffering` on (its default), `keepalive` to the upstream, its default access log',
    holds: 'what-came',
    ...nginxTuned(''),
  },
  {
    // With its defaults, 64 KB of a response are in memory and the rest of it goes to a file.
    name: 'nginx-memory',
    setUp: 'the same with `proxy_buffers 16 64k`, and no temporary files',
    holds: 'what-came',
    ...nginxTuned(
      'proxy_buffer_size 64k; proxy_buffers 16 64k; proxy_busy_buffers_size 256k; proxy_max_temp_file_size 0;',
    ),
  },
  {
    name: 'haproxy',
    setUp: 'one thread, `http-reuse always`, no log (its default)',
    holds: 'what-came',
    ...set(haproxy, () => ({ global: 'nbthread 1\n  maxconn 8192', listen: 'http-reuse always' })),
  },
  {
    // It fetches the whole response before it delivers, as lastbyte does, and caches nothing here.
    name: 'varnish',
    setUp: '`do_stream = false`, every request passed, 256 MB of memory, its default threads',
    holds: 'proven-whole',
    ...set(
      varnish,
      () => `sub vcl_recv { return (pass); }
sub vcl_backend_response { set beresp.do_stream = false; }`,
    ),
  },
  {
    name: 'caddy',
    setUp: 'responses buffered up to 64 MB, GOMAXPROCS=1, no access log (its default)',
    holds: 'unproven-buffer',
    version: caddy.version,
    command: (place) => {
      const command = caddy.command(place, { buffered: true });
      return { ...command, env: { ...command.env, GOMAXPROCS: '1' } };
    },
  },
];

/** nginx that serves the files of `root`. */
export function startOrigin(folder: string, port: number, root: string): RunningCommand {
  const server = `server { listen 127.0.0.1:${port}; root ${root}; }`;
  return startMeasured(folder, nginxWith(folder, `${NGINX_FILES}\n  access_log off;\n  ${server}`));
}

/** Its output goes to a file of the folder: whoever reads a pipe would be measured, too. */
export function startMeasured(folder: string, command: Command): RunningCommand {
  return new RunningCommand({ ...command, logPath: join(folder, 'output.log') });
}
