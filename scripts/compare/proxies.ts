/** The proxies that are compared: each in its default configuration, and with the settings that its manual has for this. */

import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { frontWithLastbyte } from '../../test/harness/lastbyte.ts';
import { type Command, ServerProcess } from '../../test/harness/process.ts';

export interface ComparedProxy {
  readonly name: string;
  /** Null: it is not on this machine. */
  readonly version: string | null;
  /** Configured for lost bytes, beyond its defaults. */
  readonly setting: string;
  start(upstreamPort: number): Promise<{ readonly port: number } & AsyncDisposable>;
}

/** What a process is started with, once its folder holds `file`. */
interface Recipe {
  readonly name: string;
  readonly setting?: string;
  readonly version: readonly [file: string, flag: string];
  readonly config?: (port: number, upstreamPort: number) => string;
  readonly command: (ports: { readonly port: number; readonly upstreamPort: number }) => readonly string[];
}

/** In a command: the configuration, and the folder it lies in. */
const CONFIG = '{config}';
const FOLDER = '{folder}';

const nginx: Recipe = {
  name: 'nginx',
  version: ['/usr/sbin/nginx', '-v'],
  config: (port, upstreamPort) => `daemon off; user root; pid ${FOLDER}/pid; error_log stderr;
events {}
http {
  access_log off; client_body_temp_path ${FOLDER}/b; proxy_temp_path ${FOLDER}/p; fastcgi_temp_path ${FOLDER}/f;
  uwsgi_temp_path ${FOLDER}/u; scgi_temp_path ${FOLDER}/s;
  server { listen 127.0.0.1:${port}; location / { proxy_pass http://127.0.0.1:${upstreamPort}; } }
}`,
  command: () => ['/usr/sbin/nginx', '-p', FOLDER, '-c', CONFIG],
};

const haproxy: Recipe = {
  name: 'HAProxy',
  version: ['/usr/sbin/haproxy', '-v'],
  config: (port, upstreamPort) => `defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen all
  bind 127.0.0.1:${port}
  server upstream 127.0.0.1:${upstreamPort}
`,
  command: () => ['/usr/sbin/haproxy', '-db', '-f', CONFIG],
};

const caddy = (name: string, setting: string, lines: string): Recipe => ({
  name,
  setting,
  version: ['/usr/bin/caddy', 'version'],
  config: (port, upstreamPort) => `{
  admin off
  auto_https off
}
http://127.0.0.1:${port} {
  reverse_proxy 127.0.0.1:${upstreamPort} {
    ${lines}
  }
}
`,
  command: () => ['/usr/bin/caddy', 'run', '--adapter', 'caddyfile', '--config', CONFIG],
});

const varnish = (name: string, setting: string, more: string): Recipe => ({
  name,
  setting,
  version: ['/usr/sbin/varnishd', '-V'],
  config: (_port, upstreamPort) => `vcl 4.1;
backend default { .host = "127.0.0.1"; .port = "${upstreamPort}"; }
${more}
`,
  command: ({ port }) =>
    ['/usr/sbin/varnishd', '-F', '-j', 'none', '-n', FOLDER].concat(
      ['-s', 'malloc,256m', '-a', `127.0.0.1:${port}`],
      ['-f', CONFIG],
    ),
});

const mitmproxy: Recipe = {
  name: 'mitmproxy',
  version: ['/usr/bin/mitmdump', '--version'],
  command: ({ port, upstreamPort }) =>
    ['/usr/bin/mitmdump', '--quiet', '--set', `confdir=${FOLDER}`].concat(
      ['--mode', `reverse:http://127.0.0.1:${upstreamPort}`],
      ['--listen-host', '127.0.0.1', '--listen-port', String(port)],
    ),
};

/** As its README shows it, with the error listener that the same page has. */
const HTTP_PROXY = `import httpProxy from 'http-proxy';
const [target, port] = process.argv.slice(1);
const proxy = httpProxy.createProxyServer({ target }).listen(Number(port), '127.0.0.1');
proxy.on('error', (error, request, response) => {
  response.writeHead(500, { 'Content-Type': 'text/plain' });
  response.end('Something went wrong.');
});`;

const httpProxy: Recipe = {
  name: 'http-proxy',
  version: [process.execPath, '--version'],
  command: ({ port, upstreamPort }) =>
    [process.execPath, '--input-type=module', '-e', HTTP_PROXY].concat(
      `http://127.0.0.1:${upstreamPort}`,
      String(port),
    ),
};

const RECIPES: readonly Recipe[] = [
  nginx,
  haproxy,
  caddy('Caddy', '', ''),
  caddy('Caddy', 'buffer_responses', 'buffer_responses\n    max_buffer_size 64MB'),
  varnish('Varnish', '', ''),
  varnish('Varnish', 'do_stream = false', 'sub vcl_backend_response { set beresp.do_stream = false; }'),
  mitmproxy,
  httpProxy,
];

export function comparedProxies(versions: {
  readonly lastbyte: string;
  readonly httpProxy: string;
}): ComparedProxy[] {
  const others = RECIPES.map((recipe) => ({
    name: recipe.name,
    setting: recipe.setting ?? '',
    version: recipe === httpProxy ? versions.httpProxy : versionOf(recipe),
    start: (upstreamPort: number) => startRecipe(recipe, upstreamPort),
  }));
  const own = { name: 'lastbyte', setting: '', version: versions.lastbyte, start: frontWithLastbyte };
  return [...others, own];
}

function versionOf({ version: [file, flag] }: Recipe): string | null {
  const { error, stdout, stderr } = spawnSync(file, [flag], { encoding: 'utf8' });
  return error === undefined ? (/\d+\.\d+\.\d+/.exec(stdout + stderr)?.[0] ?? null) : null;
}

/** Started on a free port; its configuration lies in a folder of its own, which goes with it. */
async function startRecipe(
  recipe: Recipe,
  upstreamPort: number,
): Promise<{ readonly port: number } & AsyncDisposable> {
  const folder = await mkdtemp(path.join(tmpdir(), 'lastbyte-compare-'));
  const configFile = path.join(folder, 'config');
  const filled = (text: string): string => text.replaceAll(FOLDER, folder).replaceAll(CONFIG, configFile);
  const commandFor = (port: number): Command => {
    writeFileSync(configFile, filled(recipe.config?.(port, upstreamPort) ?? ''));
    const [file = '', ...args] = recipe.command({ port, upstreamPort }).map(filled);
    return { file, args, cwd: process.cwd(), env: { HOME: folder } };
  };
  const server = await ServerProcess.start(commandFor);
  return {
    port: server.port,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
