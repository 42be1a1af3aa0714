/** lastbyte as it is built, with its default options: admin listener, metrics and a log line for each exchange. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Peer } from '../peer.ts';
import { RunningCommand } from '../../test/harness/process.ts';

const BIN = fileURLToPath(new URL('../../dist/bin.js', import.meta.url));
const PACKAGE = fileURLToPath(new URL('../../package.json', import.meta.url));

export const lastbyte: Peer = {
  name: 'lastbyte',
  setUp: 'default options: admin listener, metrics and a JSON log line for each exchange, to a file',
  holds: 'proven-whole',
  version: () => /"version": "([^"]+)"/.exec(readFileSync(PACKAGE, 'utf8'))?.[1] ?? null,
  start: ({ folder, port, originPort }) => startLastbyte(folder, port, originPort),
};

export function startLastbyte(
  folder: string,
  port: number,
  targetPort: number,
  more: readonly string[] = [],
): RunningCommand {
  const args = [BIN, String(targetPort), '--port', String(port), '--admin-port', '0', ...more];
  return new RunningCommand({ file: process.execPath, args, logPath: join(folder, 'output.log') });
}
