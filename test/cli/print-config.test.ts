import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lastbyte } from '../harness/lastbyte.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lastbyte-print-'));
  writeFileSync(join(folder, 'a.yaml'), 'retries: 5\nbody-hold: 90s\nbody-hold-max: 2m\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

const ARGS = [
  'print-config',
  '9000',
  '--no-admin',
  '--config',
  'a.yaml',
  '--stream',
  '/a/',
  '--stream',
  '/b/,text/x-log',
];

describe('print-config', () => {
  test('shows every setting in force, and where it came from', async () => {
    const { code, stdout } = await lastbyte(ARGS, {
      cwd: folder,
      env: { LASTBYTE_MEMORY_TOTAL: '1024 MiB' },
    });
    expect(code).toBe(0);
    const lines = stdout.split('\n');
    for (const line of [
      'target: http://localhost:9000 # argument target',
      'admin: false # --no-admin',
      'retries: 5 # a.yaml:1',
      'body-hold: 90s # a.yaml:2',
      'body-hold-max: 2m # a.yaml:3',
      'memory-total: 1gb # LASTBYTE_MEMORY_TOTAL',
      'stream: [/a/, /b/, text/x-log] # --stream',
      'port: 8080 # default',
      'socket: null # default',
    ]) {
      expect(lines).toContain(line);
    }
  });

  test('prints a file that gives the same settings again', async () => {
    const first = await lastbyte([...ARGS, '--json'], { cwd: folder });
    writeFileSync(join(folder, 'printed.yaml'), (await lastbyte(ARGS, { cwd: folder })).stdout);
    const second = await lastbyte(['print-config', '--config', 'printed.yaml', '--json'], { cwd: folder });
    expect(valuesOf(second.stdout)).toEqual(valuesOf(first.stdout));
  });

  test('prints JSON for programs', async () => {
    const { stdout } = await lastbyte(['print-config', '--json', '--retries=3']);
    const printed: unknown = JSON.parse(stdout);
    expect(printed).toMatchObject({
      retries: { value: 3, from: '--retries' },
      'retry-methods': { value: ['GET', 'HEAD', 'OPTIONS', 'TRACE'], from: 'default' },
    });
  });
});

function valuesOf(json: string): unknown {
  const printed: unknown = JSON.parse(json);
  if (typeof printed !== 'object' || printed === null) throw new Error('not an object');
  return Object.entries(printed).map(([name, { value }]: [string, { value: unknown }]) => [name, value]);
}
