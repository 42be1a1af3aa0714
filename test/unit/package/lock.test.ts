/** What users get with this package: licences that ask nothing of them but a notice, and no code that runs at install. */

import { expect, test } from 'vitest';
import { productionPackages } from '../../../scripts/generated/locked-packages.ts';

const PERMISSIVE: readonly string[] = ['Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT'];

test('the lock file holds production packages', () => {
  const names = productionPackages().map(({ name }) => name);
  for (const name of ['http-proxy', 'winston', 'yaml', 'yargs']) expect(names).toContain(name);
  // Wanted by development dependencies too: still a user's.
  expect(names).toContain('y18n');
  expect(names).not.toContain('vitest');
});

test.each(productionPackages())('$name $version: $licence', ({ licence, hasInstallScript }) => {
  expect(PERMISSIVE).toContain(licence);
  expect(hasInstallScript).toBe(false);
});
