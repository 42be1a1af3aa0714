/** Caddy with buffered responses, on one processor. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Peer } from '../peer.ts';
import { RunningCommand, versionOf } from '../../test/harness/process.ts';

export const caddy: Peer = {
  name: 'caddy',
  setUp: 'responses buffered up to 64 MB, GOMAXPROCS=1, no access log (its default)',
  holds: 'unproven-buffer',
  version: () => versionOf('caddy', 'version'),
  start: ({ folder, port, originPort }) => {
    const config = join(folder, 'Caddyfile');
    writeFileSync(
      config,
      `{
	admin off
	auto_https off
}
http://127.0.0.1:${port} {
	bind 127.0.0.1
	reverse_proxy 127.0.0.1:${originPort} {
${bufferOptions()}
	}
}
`,
    );
    return new RunningCommand({
      file: 'caddy',
      args: ['run', '--config', config, '--adapter', 'caddyfile'],
      env: { GOMAXPROCS: '1', HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
      logPath: join(folder, 'output.log'),
    });
  },
};

/** Caddy 2.7 renamed the option. */
function bufferOptions(): string {
  const [major = 0, minor = 0] = (versionOf('caddy', 'version') ?? '').split('.').map(Number);
  return major > 2 || minor >= 7
    ? '\t\tresponse_buffers 64MB'
    : '\t\tbuffer_responses\n\t\tmax_buffer_size 64MB';
}
