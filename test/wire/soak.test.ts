/** A short form of `npm run test:soak`: the same code, for a few seconds. */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');
/** What `npm run test:soak` runs, without the build: other tests use dist meanwhile. */
const SOAK = ['node_modules/.bin/jiti', 'scripts/soak.ts'].map((file) => join(ROOT, file));

/** Node 26 says that what jiti loads TypeScript with is deprecated: that is not what this test is about. */
const env = { ...process.env, NODE_OPTIONS: '--disable-warning=DEP0205' };

function soak(args: readonly string[]): { readonly code: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...SOAK, ...args], {
    encoding: 'utf8',
    env,
  });
  return { code: status, output: stdout + stderr };
}

test('a mixture of everything is answered right, and nothing is left behind', { timeout: 120_000 }, () => {
  // Slow enough for a machine that runs other tests beside it.
  const { code, output } = soak(['--minutes', '0.1', '--rate', '100']);
  expect(output).toMatch(/\nNothing wrong\.\n$/);
  expect(code, output).toBe(0);
});

test('idle clients are sent away by a FIN, at their time and at a stop', { timeout: 120_000 }, () => {
  const { code, output } = soak(['--idle', '300', '--idle-seconds', '2']);
  expect(output).toMatch(/at the idle timeout: 300 of 300 saw a FIN\.\nat a stop: 300 of 300 saw a FIN\./);
  expect(code, output).toBe(0);
});
