/** What a command loads before it does anything: it starts fast because it waits for nothing that it does not need. */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const SRC = path.join(import.meta.dirname, '..', '..', '..', 'src');

/** Everything that is loaded with these files; what a function imports when it is called is not. */
function loadedWith(files: readonly string[]): ReadonlySet<string> {
  const loaded = new Set<string>();
  const waiting = [...files];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (loaded.has(file)) continue;
    loaded.add(file);
    if (!file.endsWith('.ts')) continue;
    const text = readFileSync(path.join(SRC, file), 'utf8');
    for (const [, specifier = ''] of text.matchAll(/^(?:import|export) (?!type )[^;]*?from '([^']+)'/gm)) {
      waiting.push(specifier.startsWith('.') ? path.join(path.dirname(file), specifier) : specifier);
    }
  }
  return loaded;
}

const libraries = (files: readonly string[]): readonly string[] =>
  [...loadedWith(files)].filter((name) => !name.endsWith('.ts') && !name.startsWith('node:')).sort();

test.each([
  ['--version', ['cli/main.ts'], ['yargs']],
  ['healthcheck', ['cli/main.ts', 'cli/healthcheck.ts'], ['yargs']],
  ['the proxy', ['cli/main.ts', 'cli/run.ts'], ['winston', 'yargs']],
  ['print-config', ['cli/main.ts', 'cli/print-config.ts'], ['yargs']],
])('%s waits for no library but its own', (_, files, expected) => {
  expect(libraries(files)).toEqual(expected);
});

test('the proxy does not wait for what only diagnose needs', () => {
  const loaded = [...loadedWith(['cli/main.ts', 'cli/run.ts'])];
  expect(loaded).toContain(path.join('server', 'proxy.ts'));
  expect(loaded.filter((file) => file.startsWith('diagnose'))).toEqual([]);
});
