/** The tables in docs/comparison.md, each between two marks that name who writes it. */

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Outcome } from './outcome.ts';

const DOCUMENT = path.join(import.meta.dirname, '..', '..', 'docs', 'comparison.md');

/** @param name of the table, in its marks */
export function writeTable(name: string, rows: readonly (readonly string[])[]): void {
  const [head = [], ...body] = rows;
  const table = [head, head.map(() => '---'), ...body].map((row) => `| ${row.join(' | ')} |`).join('\n');
  const [, before = '', after = ''] =
    new RegExp(`^([^]*<!-- ${name}: begin;[^\\n]*-->\\n)[^]*(\\n<!-- ${name}: end -->[^]*)$`).exec(
      readFileSync(DOCUMENT, 'utf8'),
    ) ?? [];
  if (before === '') throw new Error(`docs/comparison.md has no place for the table ${name}`);
  writeFileSync(DOCUMENT, `${before}\n${table}\n${after}`);
  process.stdout.write(`${table}\n`);
}

/** Each outcome once, with how often, if there are several. */
export function cellText(outcomes: readonly Outcome[]): string {
  const kinds = [...new Set(outcomes)];
  const countOf = (kind: Outcome): number => outcomes.filter((one) => one === kind).length;
  if (kinds.length === 1) return kinds.join('');
  return kinds.map((kind) => `${kind} ${countOf(kind)}×`).join(', ');
}

export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
