import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lastbyte } from '../harness/lastbyte.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lastbyte-usage-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('all that is wrong is told at once, and the exit code is 2', async () => {
  writeFileSync(join(folder, 'wrong.yaml'), 'retires: 3\nbody-hold: 30\n');
  const args = ['--config', 'wrong.yaml', '--prot', '9000', '--admin=maybe', '9000', 'surplus'];
  const { code, stdout, stderr } = await lastbyte(args, { cwd: folder, env: { LASTBYTE_PORT: 'http' } });
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr.split('\n')).toEqual([
    'lastbyte: 6 faults in the configuration',
    '  argument surplus: is one argument too many. Write only one target.',
    '  --prot: is not a flag of lastbyte. Did you mean --port?',
    '  --admin: "maybe" is neither true nor false. Write true or false.',
    '  wrong.yaml:1: retires is not a key of lastbyte. Did you mean retries?',
    '  LASTBYTE_PORT: "http" is not a whole number. Write digits only.',
    '  wrong.yaml:2: body-hold "30" has no unit. Write 30s for seconds or 30ms for milliseconds.',
    '',
  ]);
});

describe('a command line with one fault', () => {
  test.each([
    [['print-confg'], 'argument print-confg: is not a command. Did you mean print-config?'],
    [['--config'], '--config: has no value. Write the path of one YAML or JSON file.'],
    [
      ['--config', 'none.yaml'],
      '--config: "none.yaml" does not exist. Write the path of a YAML or JSON file.',
    ],
    [['--port'], '--port: has no value. Add one, or leave the option out.'],
    [['--port', '--retries', '1'], '--port: has no value. Add one, or leave the option out.'],
    [['--port', '1', '--port', '2'], '--port: "1, 2" is more than one value. Write exactly one.'],
    [['--retries', '-1'], '--retries: "-1" is below the minimum of 0. Use 0 to 10.'],
    [['--port', '0x50'], '--port: "0x50" is not a whole number. Write digits only.'],
    [['-x', '9000'], '-x: is not a flag of lastbyte. lastbyte --help --all lists all flags.'],
    [['-p', 'x'], '--port: "x" is not a whole number. Write digits only.'],
    [['--no-admn'], '--no-admn: is not a flag of lastbyte. Did you mean --no-admin?'],
    [['--no-admin=maybe'], '--no-admin: is not a flag of lastbyte. Did you mean --no-admin?'],
    [['--all'], '--all: works only with --help. Write lastbyte --help --all.'],
    [['8000', 'diagnose'], 'argument diagnose: is one argument too many. Write only one target.'],
    [
      ['--quiet', 'print-config'],
      'argument print-config: is a command, and must come first. Write lastbyte print-config, with its flags after it.',
    ],
    [['--body.hold', '1s'], '--body.hold: is not a flag of lastbyte. Did you mean --body-hold?'],
    [['--bodyHold', '1s'], '--bodyHold: is not a flag of lastbyte. Did you mean --body-hold?'],
    [['--no-port'], '--no-port: is not a flag of lastbyte. Did you mean --port?'],
    [
      ['--json'],
      '--json: works only with print-config and diagnose. For a JSON log, write --access-log json.',
    ],
    [
      ['http://django:8000/api'],
      'argument target: "http://django:8000/api" contains a path. Remove it: each request\'s path is passed on unchanged.',
    ],
  ])('%j is told in one sentence', async (args, sentence) => {
    const { code, stdout, stderr } = await lastbyte(args, { cwd: folder });
    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: '',
      stderr: `lastbyte: one fault in the configuration\n  ${sentence}\n`,
    });
  });
});
