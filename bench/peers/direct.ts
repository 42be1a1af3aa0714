/** Nothing in between: what the load generator and the origin can do by themselves. */

import { RunningCommand } from '../../test/harness/process.ts';
import type { Peer } from '../peer.ts';
import { join } from 'node:path';

export const direct: Peer = {
  name: 'direct',
  setUp: 'no proxy: nginx that serves the files',
  holds: 'what-came',
  version: () => '-',
  // A stand-in that uses nothing: the load goes to the origin's own port.
  start: ({ folder }) =>
    new RunningCommand({ file: 'sleep', args: ['infinity'], logPath: join(folder, 'output.log') }),
};
