/** Finds a Python that has what a real server or client needs. */

import { spawnSync } from 'node:child_process';

/** The system's Python first: a distribution installs Django and Flask for that one, not for one in a version manager. */
const CANDIDATES = ['/usr/bin/python3', 'python3'] as const;

const found = new Map<string, string | null>();

/** The first Python 3 that can import this module, or null. */
export function pythonWith(module: string): string | null {
  const known = found.get(module);
  if (known !== undefined) return known;
  const python = CANDIDATES.find((file) => canImport(file, module)) ?? null;
  found.set(module, python);
  return python;
}

function canImport(file: string, module: string): boolean {
  return spawnSync(file, ['-c', `import ${module}`], { stdio: 'ignore' }).status === 0;
}
