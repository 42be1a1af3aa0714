/** docs/evidence.md has a row for every server that the tests start. */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { SERVER_NAMES } from '../../real/servers.ts';

const text = readFileSync(path.join(import.meta.dirname, '..', '..', '..', 'docs', 'evidence.md'), 'utf8');

test('every server of the fault table is listed, in its order', () => {
  const [, section = ''] = text.split('\n## Servers\n');
  const table = section.split('\n## ')[0] ?? '';
  const [, , ...rows] = table.split('\n').filter((line) => line.startsWith('|'));
  expect(rows.map((row) => row.split('|')[1]?.trim())).toEqual(SERVER_NAMES);
});
