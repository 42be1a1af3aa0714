/** Finds a Python that has what a real server or client needs. */

import { interpreterWith } from './interpreter.ts';

/** The first Python 3 that can import this module, or null. */
export const pythonWith = (module: string): string | null => interpreterWith('python', module);
