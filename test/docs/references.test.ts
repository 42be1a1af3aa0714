/** What the documents name exists: files, anchors, flags, variables, scripts, settings, types. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { CONFIG_VARIABLE, OPTIONS } from '../../src/config/options.ts';
import { lastbyte } from '../harness/lastbyte.ts';
import { BLOCKS, DOCUMENTS, ROOT, anchorsOf, externalLinksOf, linksOf, proseOf, textOf } from './markdown.ts';
import { COMMANDS } from './sh-lines.ts';
import { FLAGS_OF_OTHERS, VARIABLES_OF_TESTS } from './known-names.ts';

test('there is something to look at', () => {
  expect(DOCUMENTS).toContain('README.md');
  expect(DOCUMENTS).toContain('docs/recipes.md');
  expect(BLOCKS.length).toBeGreaterThan(30);
});

describe.each(DOCUMENTS)('%s', (file) => {
  test('links to files and headings that exist', () => {
    const broken = linksOf(file).filter((link) => {
      const [name = '', anchor] = link.split('#');
      const target = name === '' ? file : path.normalize(path.join(path.dirname(file), name));
      if (!existsSync(path.join(ROOT, target))) return true;
      return anchor !== undefined && !anchorsOf(target).has(anchor);
    });
    expect(broken).toEqual([]);
  });

  test('links to other hosts by well-formed https addresses', () => {
    expect(externalLinksOf(file).filter((link) => !isAddress(link))).toEqual([]);
  });

  test('names flags that exist', async () => {
    const own = await ownFlags();
    const named = [...ownWordsOf(file).matchAll(/(?<![\w-])--([a-z][a-z0-9-]+)/g)].map(
      ([, flag = '']) => flag,
    );
    const unknown = named.filter((flag) => !own.has(flag) && !FLAGS_OF_OTHERS.has(flag));
    expect([...new Set(unknown)]).toEqual([]);
  });

  test('names variables that exist', () => {
    const named = textOf(file).match(/LASTBYTE_[A-Z][A-Z_]*[A-Z]/g) ?? [];
    const known = new Set([...OPTIONS.map(({ variable }) => variable), CONFIG_VARIABLE]);
    const unknown = named.filter((name) => !known.has(name) && !VARIABLES_OF_TESTS.has(name));
    expect(unknown).toEqual([]);
  });

  test('names npm scripts that exist', () => {
    const { scripts }: { readonly scripts: Readonly<Record<string, string>> } = JSON.parse(
      textOf('package.json'),
    );
    const named = [...textOf(file).matchAll(/npm run (?:--silent )?([a-z][a-z:-]*)/g)];
    expect(named.map(([, name = '']) => name).filter((name) => !(name in scripts))).toEqual([]);
  });

  test('names tests and scripts that exist', () => {
    const named =
      proseOf(file).match(/`(?:test|scripts|src|config|bench)\/[\w./-]+\.(?:ts|sh|js|py|yaml|json)`/g) ?? [];
    const missing = named
      .map((name) => name.slice(1, -1))
      .filter((name) => !existsSync(path.join(ROOT, name)));
    expect(missing).toEqual([]);
  });
});

/** Of this machine, plain http is fine: it is where lastbyte listens. */
function isAddress(link: string): boolean {
  if (!URL.canParse(link)) return false;
  const { protocol, hostname } = new URL(link);
  return protocol === 'https:' || hostname === '127.0.0.1';
}

/** A command in a sentence. */
const OF_OTHERS = /^`(?!lastbyte |npx lastbyte )[\w./]+ /;

/** What can name a flag of lastbyte: without the commands of other programs. */
function ownWordsOf(file: string): string {
  const blocks = BLOCKS.filter((block) => block.file === file);
  const others = blocks.filter(({ language }) => language !== 'sh').map(({ text }) => text);
  const commands = COMMANDS.filter((command) => command.file === file).flatMap(({ text }) =>
    [...text.matchAll(/(?:npx lastbyte|npm start --) ([^|&\n]*)/g)].map(([, words = '']) => words),
  );
  const prose = proseOf(file).replaceAll(/`[^`]*`/g, (span) => (OF_OTHERS.test(span) ? ' ' : span));
  return [prose, ...others, ...commands].join('\n');
}

/** Of all commands, as their help lists them. */
let flags: Promise<ReadonlySet<string>> | null = null;

async function ownFlags(): Promise<ReadonlySet<string>> {
  flags ??= readFlags();
  return await flags;
}

async function readFlags(): Promise<ReadonlySet<string>> {
  const { stdout: help } = await lastbyte(['--help', '--all']);
  const words = [...help.matchAll(/^ *lastbyte ([a-z][a-z-]+) /gm)].map(([, word = '']) => word);
  const helps = await Promise.all(words.map((word) => lastbyte([word, '--help'])));
  const text = [help, ...helps.map(({ stdout }) => stdout)].join('\n');
  const listed = [...text.matchAll(/--([a-z][a-z-]+)/g)].map(([, flag = '']) => flag);
  return new Set([...listed, ...listed.map((flag) => `no-${flag}`)]);
}

const YAML = BLOCKS.filter(({ language }) => language === 'yaml');

test.each(YAML)('a YAML block of $file is YAML', ({ text }) => {
  expect(parse(text)).toBeTypeOf('object');
});

const SETTINGS = YAML.filter(({ text }) => text.startsWith('# lastbyte.yaml'));

test('there are settings to load', () => expect(SETTINGS.length).toBeGreaterThan(0));

test.each(SETTINGS)('the settings in $file are loaded, each of them', async ({ text }) => {
  const folder = mkdtempSync(path.join(ROOT, 'node_modules', '.docs-'));
  const file = path.join(folder, 'lastbyte.yaml');
  writeFileSync(file, text);
  const { code, stdout, stderr } = await lastbyte(['print-config', '--config', file, '--json']);
  rmSync(folder, { recursive: true });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  for (const key of Object.keys(parse(text))) expect(stdout).toContain(key);
});

/** The environment that a compose file of the documents gives to lastbyte. */
function composedEnvironments(): [string, Record<string, string>][] {
  return YAML.flatMap(({ file, text }) => {
    const compose: { readonly services?: { readonly lastbyte?: { readonly environment?: object } } } =
      parse(text);
    const { environment } = compose.services?.lastbyte ?? {};
    if (environment === undefined) return [];
    const pairs = Object.entries(environment).map(([name, value]) => [name, String(value)] as const);
    return [[file, Object.fromEntries(pairs)]];
  });
}

test('there is compose to load', () => expect(composedEnvironments().length).toBeGreaterThan(1));

test.each(composedEnvironments())(
  'the environment in the compose file of %s is loaded',
  async (_file, env) => {
    const { code, stdout, stderr } = await lastbyte(['print-config'], { env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const name of Object.keys(env)) expect(stdout).toContain(name);
  },
);

test('each ts block has correct types', () => {
  const blocks = BLOCKS.filter(({ language }) => language === 'ts');
  expect(blocks.length).toBeGreaterThan(0);
  const folder = path.join(ROOT, 'node_modules', '.docs-types');
  mkdirSync(folder, { recursive: true });
  blocks.forEach(({ text }, index) => {
    writeFileSync(path.join(folder, `block-${index}.ts`), `${text}\nexport {};\n`);
  });
  const settings = {
    extends: '../../tsconfig.json',
    compilerOptions: { paths: { lastbyte: ['../../src/index.ts'] }, noUnusedLocals: false },
    include: ['*.ts'],
  };
  writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify(settings));
  const tsc = path.join(ROOT, 'node_modules', '.bin', 'tsc');
  const { status, stdout } = spawnSync(tsc, ['-p', folder], { encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  expect(stdout).toBe('');
  expect(status).toBe(0);
});
