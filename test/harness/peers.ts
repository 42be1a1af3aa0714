/** Other proxies, and lastbyte beside them: the version of each, its configuration, and the command that starts it. */

import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { BIN } from './lastbyte.ts';
import { environment, versionOf, type Command } from './process.ts';

const require = createRequire(import.meta.url);

/** Where a proxy stands, both ports on 127.0.0.1. */
export interface Place {
  readonly upstreamPort: number;
  readonly port: number;
  /** A folder of its own for configuration, logs and state. */
  readonly folder: string;
}

/** `Settings` are what may be added to the defaults, in the program's own language. */
export interface Program<Settings> {
  /** Null: it is not installed. */
  readonly version: () => string | null;
  readonly command: (place: Place, settings?: Settings) => Command;
}

/** Debian's place, which is not in everybody's PATH. */
const program = (name: string): string => `/usr/sbin/${name}`;

function command(folder: string, file: string, args: readonly string[]): Command {
  const env = environment({ HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder });
  return { file, args, env };
}

function written(folder: string, name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

export const nginx: Program<{
  readonly http?: string;
  readonly pass?: string;
  readonly location?: string;
}> = {
  version: () => versionOf(program('nginx'), '-v'),
  command: ({ folder, port, upstreamPort }, { http = 'access_log off;', pass, location = '' } = {}) =>
    nginxWith(
      folder,
      `${http}
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass ${pass ?? `http://127.0.0.1:${upstreamPort}`}; ${location} }
  }`,
    ),
};

/** nginx with this in its http block. As root where it may: `folder` is for its owner alone. */
export function nginxWith(folder: string, http: string): Command {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const config = written(
    folder,
    'nginx.conf',
    `worker_processes 1;
daemon off;
user root;
pid ${folder}/nginx.pid;
error_log stderr;
events { worker_connections 16384; }
http {
  ${temporary.map((kind) => `${kind}_temp_path ${folder}/${kind};`).join('\n  ')}
  ${http}
}
`,
  );
  return command(folder, program('nginx'), ['-p', folder, '-e', 'stderr', '-c', config]);
}

export const haproxy: Program<{ readonly global?: string; readonly listen?: string }> = {
  version: () => versionOf(program('haproxy'), '-v'),
  command: ({ folder, port, upstreamPort }, { global = '', listen = '' } = {}) => {
    const config = written(
      folder,
      'haproxy.cfg',
      `global
  ${global}
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen all
  bind 127.0.0.1:${port}
  ${listen}
  server upstream 127.0.0.1:${upstreamPort}
`,
    );
    return command(folder, program('haproxy'), ['-db', '-f', config]);
  },
};

const CADDY = '/usr/bin/caddy';

export const caddy: Program<{ readonly buffered?: true }> = {
  version: () => versionOf(CADDY, 'version'),
  command: ({ folder, port, upstreamPort }, { buffered } = {}) => {
    const config = written(
      folder,
      'Caddyfile',
      `{
	admin off
	auto_https off
}
http://127.0.0.1:${port} {
	bind 127.0.0.1
	reverse_proxy 127.0.0.1:${upstreamPort} {
		${buffered === true ? caddyBuffers() : ''}
	}
}
`,
    );
    return command(folder, CADDY, ['run', '--adapter', 'caddyfile', '--config', config]);
  },
};

/** Caddy 2.7 renamed the option. */
function caddyBuffers(): string {
  const [major = 0, minor = 0] = (caddy.version() ?? '').split('.').map(Number);
  return major > 2 || minor >= 7 ? 'response_buffers 64MB' : 'buffer_responses\n\t\tmax_buffer_size 64MB';
}

export const varnish: Program<string> = {
  version: () => versionOf(program('varnishd'), '-V'),
  command: ({ folder, port, upstreamPort }, vcl = '') => {
    const config = written(
      folder,
      'config.vcl',
      `vcl 4.1;
backend default { .host = "127.0.0.1"; .port = "${upstreamPort}"; }
${vcl}
`,
    );
    // Without its jail: `folder` is for its owner alone.
    const args = ['-F', '-j', 'none', '-n', join(folder, 'state'), '-s', 'malloc,256m'];
    return command(folder, program('varnishd'), [...args, '-a', `127.0.0.1:${port}`, '-f', config]);
  },
};

export const mitmproxy: Program<never> = {
  version: () => versionOf('/usr/bin/mitmdump', '--version'),
  command: ({ folder, port, upstreamPort }) =>
    command(
      folder,
      '/usr/bin/mitmdump',
      ['--quiet', '--set', `confdir=${folder}`].concat(
        ['--mode', `reverse:http://127.0.0.1:${upstreamPort}`],
        ['--listen-host', '127.0.0.1', '--listen-port', String(port)],
      ),
    ),
};

/** As the README of http-proxy shows it, with the error listener that the same page has. */
const README_ON_ERROR = `(error, request, response) => {
  response.writeHead(500, { 'Content-Type': 'text/plain' });
  response.end('Something went wrong.');
}`;

export const httpProxy: Program<{ readonly options?: string; readonly onError?: string }> = {
  version: () => String(require('http-proxy/package.json').version),
  command: ({ folder, port, upstreamPort }, { options = '', onError = README_ON_ERROR } = {}) => {
    const library = JSON.stringify(require.resolve('http-proxy'));
    const script = written(
      folder,
      'proxy.cjs',
      `require(${library}).createProxyServer({ target: 'http://127.0.0.1:${upstreamPort}', ${options} })
  .listen(${port}, '127.0.0.1').on('error', ${onError});
`,
    );
    return command(folder, process.execPath, [script]);
  },
};

/** With flags of its own. */
export const lastbyte: Program<readonly string[]> = {
  version: () => {
    const manifest: { readonly version?: unknown } = JSON.parse(
      readFileSync(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8'),
    );
    return String(manifest.version);
  },
  command: ({ folder, port, upstreamPort }, flags = []) =>
    command(folder, process.execPath, [BIN, String(upstreamPort), '--port', String(port), ...flags]),
};
