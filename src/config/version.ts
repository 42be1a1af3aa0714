/** The program's own version, as published. */

import { readFileSync } from 'node:fs';

/** `src/config` and `dist/chunks` are both two levels below the package's root. */
const MANIFEST = new URL('../../package.json', import.meta.url);

export function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(MANIFEST, 'utf8'));
  const isNamed = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  return isNamed ? String(manifest.version) : 'unknown';
}
