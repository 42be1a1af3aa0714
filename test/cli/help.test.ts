import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { OPTIONS } from '../../src/config/options.ts';
import { COMMANDS } from '../../src/cli/commands.ts';
import { lastbyte } from '../harness/lastbyte.ts';

const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

test('--version is the published one', async () => {
  const { code, stdout } = await lastbyte(['--version']);
  expect(code).toBe(0);
  expect(manifest).toMatchObject({ version: stdout.trim() });
});

describe('--help', () => {
  test('shows what people change first, after how it is used', async () => {
    const { code, stdout, stderr } = await lastbyte(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^Usage: lastbyte \[options\] \[target\]/);
    expect(stdout.match(/^ +(-\w, )?--[a-z-]+/gm)?.map((line) => line.replace(/.*--/, ''))).toEqual([
      'help',
      'version',
      'port',
      'host',
      'admin',
      'admin-port',
      'insecure',
      'change-origin',
      'wait-for-upstream',
      'stream',
      'access-log',
      'config',
      'all',
    ]);
    expect(stdout).toContain('lastbyte print-config');
  });

  test('names every option with --all, with its default, in groups', async () => {
    const { stdout } = await lastbyte(['--help', '--all']);
    for (const { name } of OPTIONS) expect(stdout).toContain(`--${name} `);
    const groups = [...stdout.matchAll(/^(\w+):$/gm)].map(([, title]) => title);
    expect(groups).toEqual([
      'Commands',
      'Listening',
      'Upstream',
      'Limits',
      'Retry',
      'Timeouts',
      'Streaming',
      'Logs',
      'Program',
      'Options',
      'Examples',
    ]);
    expect(stdout).toContain('[default: http://127.0.0.1:8000]');
  });

  test.each([['help'], ['print-config', '--help'], ['diagnose', 'help'], ['--help', '--all']])(
    'of %s %s fits 100 columns',
    async (...args) => {
      const { code, stdout } = await lastbyte(args);
      expect(code).toBe(0);
      expect(stdout).toMatch(/^Usage: lastbyte /);
      for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
    },
  );

  test.each(COMMANDS.map(({ word }) => word))(
    'of %s breaks no line of its own in 80 columns',
    async (word) => {
      const { stdout } = await lastbyte([word, '--help']);
      const [head = ''] = stdout.split(/^[A-Z]\w+:$/m);
      for (const line of head.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    },
  );

  test('is in English whatever the locale', async () => {
    const { stdout } = await lastbyte(['-h'], { env: { LANG: 'de_DE.UTF-8', LC_ALL: 'de_DE.UTF-8' } });
    expect(stdout).toContain('Show help');
  });
});
