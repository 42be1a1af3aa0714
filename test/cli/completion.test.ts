import { describe, expect, test } from 'vitest';
import { COMMAND_WORDS } from '../../src/cli/commands.ts';
import { lastbyte } from '../harness/lastbyte.ts';
import { needForEach, whyNo, whyNoTerminal } from '../harness/need.ts';
import { completed, offeredByFish } from './shells.ts';

/** What is typed, and what fits there. */
const LINES: readonly (readonly [line: string, fits: readonly string[]])[] = [
  ['lastbyte ', COMMAND_WORDS],
  ['lastbyte pr', ['print-config']],
  ['lastbyte --body-hol', ['--body-hold', '--body-hold-max']],
  ['lastbyte --access-log ', ['auto', 'pretty', 'json', 'combined', 'off']],
  ['lastbyte 8000 --port 9000 --log-level w', ['warn']],
  ['lastbyte --config my', ['my settings.yaml']],
  ['lastbyte print-config --js', ['--json']],
  ['lastbyte diagnose 8000/x --sc', ['--scenario']],
  ['lastbyte diagnose --scenario length-h', ['length-half', 'length-http10']],
  ['lastbyte healthcheck --re', ['--ready', '--retries', '--retry-backoff', '--retry-methods']],
  ['lastbyte init --', ['--compose', '--force', '--help', '--version']],
  ['lastbyte --no-ch', ['--no-change-origin']],
  ['lastbyte completion ', ['bash', 'zsh', 'fish']],
];

describe.each(['bash', 'zsh'] as const)('%s', (shell) => {
  needForEach(whyNo(shell), whyNoTerminal());

  test.each(LINES)('inserts behind "%s" what fits: %j', async (line, fits) => {
    const result = await completed(shell, line);
    const before = line.slice(0, line.lastIndexOf(' ') + 1);
    expect(result.slice(0, before.length)).toBe(before);
    // A space in a name is escaped; zsh joins a flag and its value by =, which it takes back.
    const inserted = result.slice(before.length).split(/(?<!\\) /);
    expect(inserted.map((word) => word.replace('\\ ', ' ').replace(/=$/, '')).sort()).toEqual(
      [...fits].sort(),
    );
  });

  test('completes a value behind =', async () => {
    expect(await completed(shell, 'lastbyte --access-log=c')).toBe('lastbyte --access-log=combined');
  });

  test('offers nothing where no shell can know', async () => {
    expect(await completed(shell, 'lastbyte --port ')).toBe('lastbyte --port');
    expect(await completed(shell, 'lastbyte init my')).toBe('lastbyte init my');
  });
});

describe('fish', () => {
  needForEach(whyNo('fish'));

  test.each(LINES)('offers behind "%s" what fits: %j', (line, fits) => {
    expect([...offeredByFish(line)].sort()).toEqual([...fits].sort());
  });

  test('completes a value behind =, and nothing where no shell can know', () => {
    expect(offeredByFish('lastbyte --access-log=c')).toEqual(['--access-log=combined']);
    expect(offeredByFish('lastbyte --port ')).toEqual([]);
    expect(offeredByFish('lastbyte init my')).toEqual([]);
  });
});

test.each([null, ...COMMAND_WORDS])('after %s, the flags that its help names are completed', async (word) => {
  const before = word === null ? [] : [word];
  const offered = await lastbyte(['--get-yargs-completions', 'lastbyte', ...before, '--']);
  const { stdout } = await lastbyte([
    ...before,
    '--help',
    ...(offered.stdout.includes('--all') ? ['--all'] : []),
  ]);
  const named = [...stdout.matchAll(/^ +(?:-\w, )?(--[a-z-]+)(?= )/gm)].map(([, name]) => name);
  expect(named.length).toBeGreaterThan(1);
  expect(offered.stdout.trim().split('\n').sort()).toEqual([...new Set(named)].sort());
});

describe('bad usage exits with 2:', () => {
  test.each([
    [[], 'argument shell: is missing. Write one of bash, zsh, fish.'],
    [
      ['bsh'],
      'argument shell: "bsh" is not a shell that lastbyte knows. Did you mean bash? Write one of bash, zsh, fish.',
    ],
    [['bash', 'zsh'], 'argument zsh: is one argument too many. Write only one shell.'],
    [
      ['bash', '--xyz'],
      '--xyz: is not a flag of lastbyte completion. lastbyte completion --help lists all flags.',
    ],
  ])('completion %j', async (args, sentence) => {
    expect(await lastbyte(['completion', ...args])).toEqual({
      code: 2,
      stdout: '',
      stderr: `lastbyte: one fault on the command line\n  ${sentence}\n`,
    });
  });
});
