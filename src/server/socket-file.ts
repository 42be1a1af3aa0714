/** The file of a unix socket: one that a killed process left behind is cleared away before we listen there. */

import { lstatSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';

/** Only a socket that nobody listens on is removed; whatever else is there makes listening fail with EADDRINUSE. */
export async function clearStaleSocket(path: string): Promise<void> {
  if (isSocket(path) && (await nobodyListens(path))) unlinkSync(path);
}

function isSocket(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true;
}

/** The kernel refuses at once where no process has the socket open; any other answer leaves the file alone. */
function nobodyListens(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ path });
    const settle = (nobody: boolean): void => {
      probe.destroy();
      resolve(nobody);
    };
    probe.on('connect', () => settle(false));
    probe.on('error', (error: NodeJS.ErrnoException) => settle(error.code === 'ECONNREFUSED'));
  });
}
