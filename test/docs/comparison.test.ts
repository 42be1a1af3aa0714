/** What the README says of other proxies is what docs/comparison.md measured. */

import { expect, test } from 'vitest';
import { textOf } from './markdown.ts';

const COLUMNS = ['length, FIN', 'chunks, RST', 'cut once', 'Flask, POST', 'restart, 2 s'] as const;

function rowsOf(table: string): string[][] {
  const lines = table.split('\n').filter((line) => line.startsWith('|'));
  return lines.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

function measured(): Map<string, string[]> {
  const [, table = ''] = textOf('docs/comparison.md').split('<!-- comparison: begin');
  const [head = [], , ...rows] = rowsOf(table.split('<!-- comparison: end')[0] ?? '');
  const places = COLUMNS.map((column) => head.indexOf(column));
  expect(places).not.toContain(-1);
  return new Map(rows.map((row) => [titleOf(row), places.map((place) => row[place] ?? '')]));
}

/** Without the version. */
const titleOf = ([title = '']: readonly string[]): string => title.replace(/ \d+\.\d+\.\d+/, '');

test('the README names only proxies that pass a truncated response on by default', () => {
  const sentence = /by default ([^[]+?) \[pass the truncated response on\]/.exec(
    textOf('README.md').replaceAll('\n', ' '),
  );
  const names = sentence?.[1]?.split(/, | and /) ?? [];
  expect(names.length).toBeGreaterThan(2);
  const all = measured();
  for (const name of names) expect(all.get(name)?.[COLUMNS.indexOf('length, FIN')], name).toBe('cut');
});

test('lastbyte never passes a part on, and never hangs', () => {
  for (const cell of measured().get('lastbyte') ?? ['missing']) expect(cell).toMatch(/^(?:whole|50\d)/);
});
