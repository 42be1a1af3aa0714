/** The workflows of GitHub run what there is, on the Nodes that are supported; GitHub's own parser knows the rest. */

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';

const ROOT = path.join(import.meta.dirname, '..', '..', '..');
const WORKFLOWS = path.join(ROOT, '.github', 'workflows');
const textOf = (...parts: string[]): string => readFileSync(path.join(ROOT, ...parts), 'utf8');

const folder = mkdtempSync(path.join(tmpdir(), 'lastbyte-workflows-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('the parser finds no fault in them, and a fault in one that has it', () => {
  cpSync(WORKFLOWS, folder, { recursive: true });
  const faulty = textOf('.github', 'workflows', 'release.yml').replace('packages: write', 'packages: writ');
  writeFileSync(path.join(folder, 'faulty.yml'), faulty);
  const jiti = path.join(ROOT, 'node_modules', 'jiti', 'lib', 'jiti-cli.mjs');
  const script = path.join(ROOT, 'scripts', 'lint-workflows.js');
  const { status, stderr } = spawnSync(process.execPath, [jiti, script, folder], { encoding: 'utf8' });
  expect(stderr).toMatch(/^faulty\.yml \(Line: \d+, Col: \d+\): Unexpected value 'writ'\n$/);
  expect(status).toBe(1);
});

test.each(readdirSync(WORKFLOWS))('%s runs only what there is', (file) => {
  const text = textOf('.github', 'workflows', file);
  const { scripts }: { scripts: object } = JSON.parse(textOf('package.json'));
  for (const [, name = ''] of text.matchAll(/npm run (?:--silent )?([a-z][a-z:-]*)/g)) {
    expect(scripts).toHaveProperty([name]);
  }
  const files = [...text.matchAll(/(?<![\w/.])((?:scripts|\.ci)\/[\w./-]+)/g)].map(([, name = '']) => name);
  expect(files.filter((name) => !existsSync(path.join(ROOT, name)))).toEqual([]);
});

test('the tests run on each Node that .ci/run has', () => {
  const majors = textOf('scripts', 'install-test-nodes.sh').match(/oldest\) versions=\(([^)]+)\)/)?.[1];
  const [, matrix = ''] = textOf('.github', 'workflows', 'ci.yml').match(/node: \[([\d, ]+)\]/) ?? [];
  expect(matrix.split(', ')).toEqual(majors?.split(' ').map((version) => version.split('.')[0]));
});
