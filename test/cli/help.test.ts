import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { OPTIONS } from '../../src/config/option-table.ts';
import { lastbyte } from '../harness/lastbyte.ts';

const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

test('--version is the published one', async () => {
  const { code, stdout } = await lastbyte(['--version']);
  expect(code).toBe(0);
  expect(manifest).toMatchObject({ version: stdout.trim() });
});

describe('--help', () => {
  test('names every option, with its default, in groups', async () => {
    const { code, stdout, stderr } = await lastbyte(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const { name } of OPTIONS) expect(stdout).toContain(`--${name} `);
    const groups = [...stdout.matchAll(/^(\w+):$/gm)].map(([, title]) => title);
    expect(groups).toEqual([
      'Listening',
      'Upstream',
      'Limits',
      'Retry',
      'Timeouts',
      'Streaming',
      'Logs',
      'Program',
      'Examples',
    ]);
    expect(stdout).toContain('[default: http://127.0.0.1:8000]');
    expect(stdout).toContain('print-config');
  });

  test('fits 100 columns', async () => {
    const { stdout } = await lastbyte(['--help']);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });

  test('is in English whatever the locale', async () => {
    const { stdout } = await lastbyte(['-h'], { env: { LANG: 'de_DE.UTF-8', LC_ALL: 'de_DE.UTF-8' } });
    expect(stdout).toContain('Show help');
  });
});
