/** Runs the built command line in front of a server, as a user does. */

import path from 'node:path';
import { freePort, startOn, type ChildServer } from '../test/real/child-server.ts';

const BIN = path.join(import.meta.dirname, '..', 'dist', 'bin.js');

/** `lastbyte <target> --port <port>` from dist; without the admin listener unless one is asked for. */
export async function startLastbyte(targetPort: number, port: number): Promise<ChildServer> {
  const args = [BIN, `http://127.0.0.1:${targetPort}`, '--port', String(port), '--no-admin'];
  const command = { file: process.execPath, args, cwd: process.cwd(), env: withoutOwnVariables() };
  const started = await startOn(port, command);
  if (started.kind === 'ended') throw new Error(started.output);
  return started.server;
}

/** The settings of whoever runs this must not change what is measured. */
function withoutOwnVariables(): Record<string, undefined> {
  const own = Object.keys(process.env).filter((name) => name.startsWith('LASTBYTE_'));
  return Object.fromEntries(own.map((name) => [name, undefined]));
}

/** lastbyte on any free port. */
export async function frontWithLastbyte(targetPort: number): Promise<ChildServer> {
  return await startLastbyte(targetPort, await freePort());
}
