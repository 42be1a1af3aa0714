/** Finds a Python that has what a real server or client needs. */

import { interpreterWith } from './interpreter.ts';

/** The first Python 3 that can import this module, or null. */
export const pythonWith = (module: string): string | null => interpreterWith('python', module);

/** Why there is none, as a sentence; null when there is one. Of a library of Debian, the package is python3- and its name. */
export function whyNoPython(module: 'http.client' | 'django' | 'flask'): string | null {
  if (pythonWith(module) !== null) return null;
  const [library, debianPackage] =
    module === 'http.client' ? ['', 'python3'] : [` with ${module}`, `python3-${module}`];
  return `There is no Python 3${library} (Debian: apt-get install ${debianPackage}).`;
}
