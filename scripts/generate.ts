/**
 * Writes the files that come from the tables and the lock file; with --check, exits 1 and names those that are stale.
 *
 * Node from 22.18 runs it as it is: `node scripts/generate.ts`.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { generatedFiles } from './generated/generated-files.ts';

const check = process.argv.includes('--check');
const stale = generatedFiles().filter(({ path, text }) => currentText(path) !== text);

for (const { path, text } of stale) {
  if (!check) writeFileSync(inRepository(path), text);
  process.stdout.write(check ? `${path} is stale: run scripts/generate.ts\n` : `${path} written\n`);
}
if (check && stale.length > 0) process.exitCode = 1;

function inRepository(path: string): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url));
}

function currentText(path: string): string | null {
  try {
    return readFileSync(inRepository(path), 'utf8');
  } catch {
    return null;
  }
}
