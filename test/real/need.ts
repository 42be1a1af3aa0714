/** What happens to a test whose server or client is not on this machine: said aloud, never passed over in silence. */

import type { TestContext } from 'vitest';
import { versionOf } from '../harness/process.ts';

/** In CI everything has been installed: what is missing there is a fault of the setup, and fails. */
const MUST_RUN = !['', 'false', undefined].includes(process.env['CI']);

/** Vitest counts skipped tests and does not print why: each reason is said once a file. */
const said = new Set<string>();

/** Ends the test here when something is missing: skipped with the reason, or failed where everything must run. */
export function need(context: TestContext, missing: string | null): void {
  if (missing === null) return;
  if (MUST_RUN) throw new Error(missing);
  if (!said.has(missing)) process.stderr.write(`Skipped: ${missing}\n`);
  said.add(missing);
  context.skip(missing);
}

/** Why this program cannot be run, as a sentence; null when it can. */
export function whyNoProgram(file: string, versionFlag: string, debianPackage: string): string | null {
  if (versionOf(file, versionFlag) !== null) return null;
  return `${file} is not installed (Debian: apt-get install ${debianPackage}).`;
}
