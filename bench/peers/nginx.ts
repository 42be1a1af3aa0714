/** nginx as a proxy that buffers and keeps upstream connections; and as the origin that serves files. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Peer, Place } from '../peer.ts';
import { RunningCommand, versionOf } from '../../test/harness/process.ts';

export const nginx: Peer = proxying(
  'nginx',
  'one worker, `proxy_buffering` on (its default), `keepalive` to the upstream, its default access log',
  '',
);

/** With its defaults, 64 KB of an answer are in memory and the rest of it goes to a file. */
export const nginxMemory: Peer = proxying(
  'nginx-memory',
  'the same with `proxy_buffers 16 64k`, and no temporary files',
  'proxy_buffer_size 64k; proxy_buffers 16 64k; proxy_busy_buffers_size 256k; proxy_max_temp_file_size 0;',
);

function proxying(name: string, setUp: string, more: string): Peer {
  return {
    name,
    setUp,
    holds: 'what-came',
    version: () => versionOf('nginx', '-v'),
    start: (place) =>
      startNginx(
        place,
        `access_log ${place.folder}/access.log;
  upstream origin { server 127.0.0.1:${place.originPort}; keepalive 64; }
  server {
    listen 127.0.0.1:${place.port};
    location / { proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection ""; ${more} }
  }`,
      ),
  };
}

/** Serves the files of `root`. */
export function startOrigin(place: Omit<Place, 'originPort'>, root: string): RunningCommand {
  return startNginx(place, `access_log off;\n  server { listen 127.0.0.1:${place.port}; root ${root}; }`);
}

function startNginx({ folder }: Pick<Place, 'folder'>, server: string): RunningCommand {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => {
    mkdirSync(join(folder, kind), { recursive: true });
    return `${kind}_temp_path ${join(folder, kind)};`;
  });
  const config = join(folder, 'nginx.conf');
  writeFileSync(
    config,
    `worker_processes 1;
daemon off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events { worker_connections 16384; }
http {
  sendfile on;
  keepalive_requests 100000000;
  default_type application/octet-stream;
  ${temporary.join('\n  ')}
  ${server}
}
`,
  );
  return new RunningCommand({
    file: 'nginx',
    args: ['-p', folder, '-e', join(folder, 'error.log'), '-c', config],
    logPath: join(folder, 'output.log'),
  });
}
