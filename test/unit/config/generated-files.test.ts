import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { generatedFiles } from '../../../scripts/generated/generated-files.ts';
import { optionNamed, TABLE } from '../../../src/config/options.ts';
import { loadSettings, resolveOptions } from '../../../src/config/resolve.ts';
import { violations } from './json-schema.ts';

const pathOf = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const textOf = (path: string): string => readFileSync(pathOf(path), 'utf8');
const schema: unknown = JSON.parse(textOf('config/schema.json'));

test.each(generatedFiles().map(({ path, text }) => [path, text] as const))(
  '%s is what its source says',
  (path, text) => {
    expect(textOf(path)).toBe(text);
  },
);

describe.each(['config/default.yaml', 'config/docker.yaml'])('%s', (path) => {
  test('is accepted by the schema', () => {
    expect(violations(schema, parse(textOf(path)))).toEqual([]);
  });
  test('is accepted by the loader', () => {
    expect(loadSettings({ flags: {}, env: {}, file: pathOf(path) })).toMatchObject({ kind: 'settings' });
  });
});

test('config/default.yaml changes nothing', () => {
  const loaded = loadSettings({ flags: {}, env: {}, file: pathOf('config/default.yaml') });
  expect(loaded.kind === 'settings' && loaded.settings).toEqual(resolveOptions({}));
});

test('config/docker.yaml is open to other containers', () => {
  const loaded = loadSettings({ flags: {}, env: {}, file: pathOf('config/docker.yaml') });
  expect(loaded.kind === 'settings' && loaded.settings).toMatchObject({
    target: { host: 'django', port: 8000 },
    host: '0.0.0.0',
    adminHost: '0.0.0.0',
    spoolDir: '/tmp',
    accessLog: 'json',
  });
});

describe('the schema and the loader agree', () => {
  test.each([
    [{ port: 0 }],
    [{ port: 65_535 }],
    [{ 'body-hold': '100ms' }],
    [{ 'body-hold': 0 }],
    [{ 'memory-per-body': '16 MiB' }],
    [{ 'memory-per-body': 1024 }],
    [{ stream: ['/a/'] }],
    [{ stream: '/a/,/b/' }],
    [{ target: 9000 }],
    [{ socket: null }],
    [{ 'log-level': 'debug' }],
  ])('%j holds', (file) => {
    expect(violations(schema, file)).toEqual([]);
    expect(reads(file)).toBe(true);
  });
  test.each([
    [{ port: 65_536 }],
    [{ port: 'http' }],
    [{ 'body-hold': 100 }],
    [{ 'body-hold': 'soon' }],
    [{ 'memory-per-body': '16 megabytes' }],
    [{ stream: [1] }],
    [{ admin: 'maybe' }],
    [{ 'log-level': 'loud' }],
    [{ 'max-response-body': 0 }],
    [{ prot: 1 }],
  ])('%j does not', (file) => {
    expect(violations(schema, file)).toHaveLength(1);
    expect(reads(file)).toBe(false);
  });
});

/** Whether the table reads the one option of `file`. */
function reads(file: object): boolean {
  const [name, raw]: [string, unknown] = Object.entries(file)[0] ?? ['', null];
  const option = optionNamed(name);
  return option !== undefined && TABLE[option.setting].type.parse(raw).kind === 'value';
}
