/** The Nodes that the command is run on: the one that runs the tests, and those that LASTBYTE_NODES names, colon-separated. */

import { execFileSync } from 'node:child_process';

const BINARIES = [
  process.execPath,
  ...(process.env['LASTBYTE_NODES'] ?? '').split(':').filter((path) => path !== ''),
];

/** Version and binary. */
export const NODES: readonly (readonly [version: string, path: string])[] = BINARIES.map((path) => [
  execFileSync(path, ['--version'], { encoding: 'utf8' }).trim(),
  path,
]);
