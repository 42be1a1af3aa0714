/** HAProxy with one thread. It passes on as it reads: nothing is verified. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Peer } from '../peer.ts';
import { RunningCommand, versionOf } from '../../test/harness/process.ts';

export const haproxy: Peer = {
  name: 'haproxy',
  setUp: 'one thread, `http-reuse always`, no log (its default)',
  holds: 'what-came',
  version: () => versionOf('haproxy', '-v'),
  start: ({ folder, port, originPort }) => {
    const config = join(folder, 'haproxy.cfg');
    writeFileSync(
      config,
      `global
  nbthread 1
  maxconn 8192
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend front
  bind 127.0.0.1:${port}
  default_backend origin
backend origin
  http-reuse always
  server origin 127.0.0.1:${originPort}
`,
    );
    return new RunningCommand({
      file: 'haproxy',
      args: ['-db', '-f', config],
      logPath: join(folder, 'output.log'),
    });
  },
};
