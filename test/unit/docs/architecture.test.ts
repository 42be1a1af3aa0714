/** docs/architecture.md draws the tree and its order; src/ is held to it. */

import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const ROOT = path.join(import.meta.dirname, '..', '..', '..');
const SRC = path.join(ROOT, 'src');

/** The entries of the drawn tree, from the top to the bottom: a folder without its slash, or a file. */
function drawn(): string[] {
  const text = readFileSync(path.join(ROOT, 'docs', 'architecture.md'), 'utf8');
  const [, tree = ''] = text.split('## Folders')[1]?.split('```') ?? [];
  return tree
    .trim()
    .split('\n')
    .map((line) => line.split(/\s+/)[0]?.replace(/\/$/, '') ?? '');
}

const SOURCES = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.ts'),
);

/** The entry that a file belongs to. */
const entryOf = (file: string): string => file.split(path.sep)[0] ?? '';

function importsOf(file: string): string[] {
  const text = readFileSync(path.join(SRC, file), 'utf8');
  return [...text.matchAll(/(?:from|import|require)\s*\(?\s*'([^']+)'/g)].map(
    ([, specifier = '']) => specifier,
  );
}

test('the drawn tree is the tree', () => {
  expect(drawn().sort()).toEqual(readdirSync(SRC).sort());
});

test.each(SOURCES)('%s imports only from its own folder and from those above it', (file) => {
  const order = drawn();
  const from = order.indexOf(entryOf(file));
  for (const specifier of importsOf(file)) {
    if (!specifier.startsWith('.')) continue;
    const target = path.relative(SRC, path.resolve(SRC, path.dirname(file), specifier));
    expect(order.indexOf(entryOf(target)), specifier).toBeLessThanOrEqual(from);
    expect(order.indexOf(entryOf(target)), specifier).toBeGreaterThanOrEqual(0);
  }
});

test.each([
  ['http-proxy', 'http-proxy'],
  ['winston', 'observe'],
  ['yargs', 'cli'],
  ['yaml', null],
])('of all folders, %s is imported by one alone (%s)', (library, folder) => {
  const users = SOURCES.filter((file) =>
    importsOf(file).some((one) => one === library || one.startsWith(`${library}/`)),
  );
  const folders = new Set(users.map(entryOf));
  if (folder === null) expect([...folders].every((one) => one === 'config' || one === 'cli')).toBe(true);
  else expect([...folders]).toEqual([folder]);
});
