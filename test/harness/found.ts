/** Finds a program in the PATH. */

import { existsSync } from 'node:fs';
import path from 'node:path';

/** The system's own first: a distribution installs Django or Puma for that one, not for one in a version manager. */
const SYSTEM = '/usr/bin';

/** All files of this name, the one to be preferred first. */
export function found(program: string): string[] {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter);
  const preferred = folders.includes(SYSTEM) ? [SYSTEM, ...folders] : folders;
  return preferred.map((folder) => path.join(folder, program)).filter((file) => existsSync(file));
}
