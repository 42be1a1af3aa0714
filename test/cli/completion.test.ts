import { describe, expect, test } from 'vitest';
import { COMMAND_WORDS } from '../../src/cli/commands.ts';
import { COMMAND_FLAGS, SETTINGS_FLAGS } from '../../src/cli/completion/vocabulary.ts';
import { lastbyte } from '../harness/lastbyte.ts';
import { completed, missing, offeredByFish } from './shells.ts';

/** What is typed, and what fits there. */
const LINES: readonly (readonly [line: string, fits: readonly string[]])[] = [
  ['lastbyte ', COMMAND_WORDS],
  ['lastbyte pr', ['print-config']],
  ['lastbyte --body-hold', ['--body-hold', '--body-hold-max']],
  ['lastbyte --access-log ', ['auto', 'pretty', 'json', 'combined', 'off']],
  ['lastbyte 8000 --port 9000 --log-level w', ['warn']],
  ['lastbyte --config my', ['my settings.yaml']],
  ['lastbyte print-config --js', ['--json']],
  ['lastbyte diagnose 8000/x --sc', ['--scenario']],
  ['lastbyte diagnose --scenario length-h', ['length-half', 'length-http10']],
  ['lastbyte healthcheck --re', ['--ready', '--retries', '--retry-backoff', '--retry-methods']],
  ['lastbyte init --', ['--compose', '--force', '--help']],
  ['lastbyte completion ', ['bash', 'zsh', 'fish']],
];

describe.each(['bash', 'zsh'] as const)('%s', (shell) => {
  const reason = missing(shell);
  test.skipIf(reason !== null && process.env['CI'] === undefined)(
    reason === null ? 'is here' : `is skipped: ${reason}`,
    () => expect(reason).toBe(null),
  );

  test.skipIf(reason !== null).each(LINES)('inserts behind "%s" what fits: %j', async (line, fits) => {
    const result = await completed(shell, line);
    const before = line.slice(0, line.lastIndexOf(' ') + 1);
    expect(result.slice(0, before.length)).toBe(before);
    // A space in a name is escaped; zsh joins a flag and its value by =, which it takes back.
    const inserted = result.slice(before.length).split(/(?<!\\) /);
    expect(inserted.map((word) => word.replace('\\ ', ' ').replace(/=$/, '')).sort()).toEqual(
      [...fits].sort(),
    );
  });

  test.skipIf(reason !== null)('completes a value behind =', async () => {
    expect(await completed(shell, 'lastbyte --access-log=c')).toBe('lastbyte --access-log=combined');
  });

  test.skipIf(reason !== null)('offers nothing where no shell can know', async () => {
    expect(await completed(shell, 'lastbyte --port ')).toBe('lastbyte --port');
    expect(await completed(shell, 'lastbyte init my')).toBe('lastbyte init my');
  });
});

describe('fish', () => {
  const reason = missing('fish');
  test.skipIf(reason !== null && process.env['CI'] === undefined)(
    reason === null ? 'is here' : `is skipped: ${reason}`,
    () => expect(reason).toBe(null),
  );

  test.skipIf(reason !== null).each(LINES)('offers behind "%s" what fits: %j', (line, fits) => {
    expect([...offeredByFish(line)].sort()).toEqual([...fits].sort());
  });

  test.skipIf(reason !== null)('completes a value behind =, and nothing where no shell can know', () => {
    expect(offeredByFish('lastbyte --access-log=c')).toEqual(['--access-log=combined']);
    expect(offeredByFish('lastbyte --port ')).toEqual([]);
    expect(offeredByFish('lastbyte init my')).toEqual([]);
  });
});

describe.each(COMMAND_FLAGS)('behind "$word"', ({ word, settings, flags }) => {
  const shared = settings ? SETTINGS_FLAGS.map(({ name }) => name) : [];
  const completable = [...shared, ...flags.map(({ name }) => name)];
  const namedInHelp = async (): Promise<readonly string[]> => {
    const { stdout } = await lastbyte([...(word === null ? [] : [word]), '--help']);
    return [...stdout.matchAll(/^ +(?:-h, )?(--[a-z-]+)(?= )/gm)].map(([, name = '']) => name);
  };

  test('what its help names is completed', async () => {
    // One help for two commands: --json is of print-config alone.
    const other = word === null ? '--json' : word === 'print-config' ? '--version' : '';
    const named = await namedInHelp();
    expect(named.length).toBeGreaterThan(0);
    for (const name of named.filter((one) => one !== other)) expect(completable).toContain(name);
  });

  test('what is completed is named by its help', async () => {
    const named = await namedInHelp();
    const sameAsOfLastbyte = word === 'healthcheck' ? shared : [];
    const own = completable.filter((name) => !sameAsOfLastbyte.includes(name) && !name.startsWith('--no-'));
    for (const name of own) expect(named).toContain(name);
  });
});

describe('bad usage exits with 2:', () => {
  test.each([
    [[], 'argument shell: is missing. Write one of bash, zsh, fish.'],
    [
      ['bsh'],
      'argument shell: "bsh" is no shell that is known here. Did you mean bash? Write one of bash, zsh, fish.',
    ],
    [['bash', 'zsh'], 'argument zsh: is one argument too many. Give one shell.'],
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
