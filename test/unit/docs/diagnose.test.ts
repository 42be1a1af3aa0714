/** docs/diagnose.md names what there is: every scenario, every finding, every real server. */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { SCENARIOS } from '../../../src/diagnose/scenarios.ts';
import { SERVER_NAMES } from '../../real/servers.ts';

const ROOT = path.join(import.meta.dirname, '..', '..', '..');
const DOCUMENT = readFileSync(path.join(ROOT, 'docs', 'diagnose.md'), 'utf8');
const FINDING = readFileSync(path.join(ROOT, 'src', 'diagnose', 'findings.ts'), 'utf8');

test('its table of scenarios is the catalogue', () => {
  const rows = SCENARIOS.map(({ name, title, purpose, plan }) => {
    const method = plan.method === 'GET' ? 'GET' : 'the method';
    return `| \`${name}\` | ${method}, ${title} | ${purpose.replace(/\.$/, '')} |`;
  });
  const [, table = ''] = DOCUMENT.split('| scenario | request | what it finds out |\n|---|---|---|\n');
  expect(table.split('\n\n')[0]?.split('\n')).toEqual(rows);
});

test('it explains every code of a finding', () => {
  const [, union = ''] = /export type FindingCode =([\s\S]*?);/.exec(FINDING) ?? [];
  const codes = [...union.matchAll(/'([a-z-]+)'/g)].map(([, code = '']) => code);
  expect(codes.length).toBeGreaterThan(10);
  for (const code of codes) expect(DOCUMENT).toContain(`\`${code}\``);
});

test('its table of real servers has each of them, with the same verdict in all of ten runs', () => {
  const [, table = ''] = DOCUMENT.split('<!-- servers: begin -->');
  for (const name of SERVER_NAMES) {
    const row = table.split('\n').find((line) => line.startsWith(`| ${name} |`)) ?? '';
    expect(row.split('|')[2]?.trim(), name).toMatch(/^(\*\*fault\*\*|no fault), 10 of 10$/);
  }
});
