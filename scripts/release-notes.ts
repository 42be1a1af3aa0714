/** `jiti scripts/release-notes.ts v0.2.0` prints what the changelog says of that version, if it is the one to be released. */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const ROOT = path.join(import.meta.dirname, '..');

/** @throws in words, when the tag, the version of package.json and a dated heading of the changelog do not agree */
export function releaseNotes(tag: string, version: string, changelog: string): string {
  if (tag !== `v${version}`) throw new Error(`The tag is ${tag}, and package.json says ${version}.`);
  const section = changelog.split(/^## /m).find((one) => one.startsWith(`${version},`));
  if (section === undefined) throw new Error(`CHANGELOG.md has no heading for ${version}.`);
  const [heading = '', ...lines] = section.split('\n');
  if (!/, \d{4}-\d{2}-\d{2}$/.test(heading)) throw new Error(`CHANGELOG.md has no date for ${version}.`);
  return lines.join('\n').trim();
}

function main([tag = '']: readonly string[]): void {
  const { version }: { version: string } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
  console.log(releaseNotes(tag, version, readFileSync(path.join(ROOT, 'CHANGELOG.md'), 'utf8')));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main(process.argv.slice(2));
