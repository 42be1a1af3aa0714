/** Varnish without streaming: it fetches the whole answer before it delivers, as lastbyte does, and caches nothing here. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Peer } from '../peer.ts';
import { RunningCommand, versionOf } from '../../test/harness/process.ts';

export const varnish: Peer = {
  name: 'varnish',
  setUp: '`do_stream = false`, every request passed, 256 MB of memory, its default threads',
  holds: 'proven-whole',
  version: () => versionOf('varnishd', '-V'),
  start: ({ folder, port, originPort }) => {
    const program = join(folder, 'bench.vcl');
    writeFileSync(
      program,
      `vcl 4.1;
backend origin { .host = "127.0.0.1"; .port = "${originPort}"; }
sub vcl_recv { return (pass); }
sub vcl_backend_response { set beresp.do_stream = false; }
`,
    );
    const args = ['-F', '-n', join(folder, 'state'), '-a', `127.0.0.1:${port}`, '-f', program];
    return new RunningCommand({
      file: 'varnishd',
      args: [...args, '-s', 'malloc,256m'],
      logPath: join(folder, 'output.log'),
    });
  },
};
