/** The README's short table says what docs/comparison.md measured. */

import { expect, test } from 'vitest';
import { textOf } from './markdown.ts';

/** The README's columns, and those of the comparison that they are taken from. */
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

test("each row of the README's table is a row of the comparison", () => {
  const [, section = ''] = textOf('README.md').split('## Beside other proxies');
  const [, , ...rows] = rowsOf(section.split('\n## ')[0] ?? '');
  const all = measured();
  expect(rows.map(titleOf)).toEqual([...all.keys()]);
  for (const [title = '', ...cells] of rows) expect(cells, title).toEqual(all.get(title));
});

test('lastbyte never passes a part on, and never hangs', () => {
  for (const cell of measured().get('lastbyte') ?? ['missing']) expect(cell).toMatch(/^(?:whole|50\d)/);
});
