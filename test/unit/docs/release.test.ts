/** docs/release.md and CONTRIBUTING.md name what there is: scripts, files; the changelog has this version. */

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const ROOT = path.join(import.meta.dirname, '..', '..', '..');
const textOf = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');
const manifest: { readonly version: string; readonly scripts: object } = JSON.parse(textOf('package.json'));

const all = (file: string, pattern: RegExp): readonly string[] =>
  [...textOf(file).matchAll(pattern)].map(([, found = '']) => found);

test.each(['docs/release.md', 'CONTRIBUTING.md'])('every npm script in %s can be run', (file) => {
  const names = all(file, /npm run ([a-z][a-z:-]*)/g);
  expect(names.length).toBeGreaterThan(0);
  for (const name of names) expect(manifest.scripts).toHaveProperty([name]);
});

test('every file that docs/release.md names is there', () => {
  const names = [
    ...all('docs/release.md', /`((?:test|scripts|\.ci)\/[\w./-]+)`/g),
    ...all('docs/release.md', /\]\(\.\.\/([\w./-]+)\)/g),
  ];
  expect(names.length).toBeGreaterThan(2);
  for (const name of names) expect(existsSync(path.join(ROOT, name)), name).toBe(true);
});

test('the changelog has the version that would be released', () => {
  expect(all('CHANGELOG.md', /^## (\S+?),/gm)).toContain(manifest.version);
});
