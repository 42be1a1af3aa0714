import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { collectFile } from '../../../src/config/config-file.ts';
import { faultText } from '../../../src/config/fault.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lastbyte-file-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function collectText(name: string, text: string) {
  const path = join(folder, name);
  writeFileSync(path, text);
  return collectPath(path);
}

function collectPath(path: string) {
  const { values, faults } = collectFile({ path, namedBy: { kind: 'flag', name: '--config' } });
  return {
    values: Object.fromEntries(values.map(({ option, raw }) => [option.name, raw])),
    lines: values.map(({ origin }) => (origin.kind === 'file' ? origin.line : null)),
    faults: faults.map((fault) => faultText(fault).replaceAll(`${folder}/`, '')),
  };
}

describe('a file in YAML', () => {
  test('gives each value with its line', () => {
    const text = 'port: 9000\n\n# why\nstream:\n  - /events/\n  - text/x-log\nadmin: off\n';
    expect(collectText('a.yaml', text)).toEqual({
      values: { port: 9000, stream: ['/events/', 'text/x-log'], admin: 'off' },
      lines: [1, 4, 7],
      faults: [],
    });
  });

  test.each([
    ['empty', ''],
    ['only comments', '# nothing yet\n'],
    ['an empty mapping', '{}\n'],
  ])('may be %s', (_, text) => {
    expect(collectText('empty.yaml', text)).toEqual({ values: {}, lines: [], faults: [] });
  });

  test('may have a byte order mark and Windows line ends', () => {
    expect(collectText('bom.yaml', '\uFEFFport: 9000\r\nretries: 1\r\n').values).toEqual({
      port: 9000,
      retries: 1,
    });
  });

  test('may name its schema', () => {
    expect(collectText('schema.yaml', '$schema: ./schema.json\nport: 1\n').values).toEqual({ port: 1 });
  });

  test.each([
    [
      'a list',
      '- port\n',
      'x.yaml:1: x.yaml is not a mapping of options to values. Write one option per line, such as port: 8080.',
    ],
    [
      'a word',
      'port\n',
      'x.yaml:1: x.yaml is not a mapping of options to values. Write one option per line, such as port: 8080.',
    ],
    [
      'a key twice',
      'port: 1\nretries: 1\nport: 2\n',
      'x.yaml:3: x.yaml sets an option twice. Keep one of them.',
    ],
  ])('that is %s is refused', (_, text, fault) => {
    expect(collectText('x.yaml', text).faults).toEqual([fault]);
  });

  test('that is broken names the line', () => {
    const { faults } = collectText('x.yaml', 'port: 1\nhost: "127.0.0.1\n');
    expect(faults[0]).toMatch(/^x\.yaml:\d: x\.yaml is not YAML: /);
  });
});

describe('a file in JSON', () => {
  test('gives each value with its line, tabs and all', () => {
    const text = '{\n\t"$schema": "./schema.json",\n\t"port": 9000,\n\t"stream": [\n\t\t"/events/"\n\t]\n}\n';
    expect(collectText('a.json', text)).toEqual({
      values: { port: 9000, stream: ['/events/'] },
      lines: [3, 4],
      faults: [],
    });
  });

  test('that is YAML but not JSON is refused, because its name promises JSON', () => {
    expect(collectText('x.json', 'port: 9000\n').faults[0]).toMatch(/^x\.json: x\.json is not JSON: /);
  });
});

describe('a file that cannot be read', () => {
  test('is the fault of what named it', () => {
    expect(collectPath(join(folder, 'none.yaml')).faults).toEqual([
      '--config: "none.yaml" does not exist. Write the path of a YAML or JSON file.',
    ]);
  });
  test('may be a folder', () => {
    mkdirSync(join(folder, 'folder'));
    expect(collectPath(join(folder, 'folder')).faults).toEqual([
      '--config: "folder" is a folder. Write the path of a YAML or JSON file.',
    ]);
  });
});
