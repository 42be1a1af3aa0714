/** docs/release.md and CONTRIBUTING.md name what there is: scripts, files; the changelog has this version. */

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { releaseNotes } from '../../../scripts/release-notes.ts';

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

test('the notes of a release are the part of the changelog below its version', () => {
  const changelog =
    '# Changelog\n\n## 0.3.0, not released yet\n\n- c\n\n## 0.2.0, 2026-01-31\n\n- b\n- a\n\n## 0.1.0, 2025-12-01\n';
  expect(releaseNotes('v0.2.0', '0.2.0', changelog)).toBe('- b\n- a');
  expect(() => releaseNotes('v0.2.0', '0.3.0', changelog)).toThrow('package.json says 0.3.0');
  expect(() => releaseNotes('v0.3.0', '0.3.0', changelog)).toThrow('no date for 0.3.0');
  expect(() => releaseNotes('v0.4.0', '0.4.0', changelog)).toThrow('no heading for 0.4.0');
});
