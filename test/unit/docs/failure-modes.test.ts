/** docs/failure-modes.md lists every error, with the status and the Proxy-Status that it has. */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { ERROR_CODES, ProxyError } from '../../../src/errors.ts';

const text = readFileSync(
  path.join(import.meta.dirname, '..', '..', '..', 'docs', 'failure-modes.md'),
  'utf8',
);
const ROWS = new Map(
  [...text.matchAll(/^\| `(\w+)` \| (\d+) \| `(\w+)` \|/gm)].map(([, code = '', status, proxyStatus]) => [
    code,
    [Number(status), proxyStatus],
  ]),
);

test.each(ERROR_CODES)('%s is listed as it is', (code) => {
  const { status, proxyStatus } = new ProxyError(code, '');
  expect(ROWS.get(code)).toEqual([status, proxyStatus]);
});

test('nothing else is listed', () => {
  expect([...ROWS.keys()].sort()).toEqual([...ERROR_CODES].sort());
});
