import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { OPTIONS } from '../../src/config/options.ts';
import { lastbyte } from '../harness/lastbyte.ts';
import type { Finished } from '../harness/process.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lastbyte-init-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const init = (...args: readonly string[]): Promise<Finished> => lastbyte(['init', ...args], { cwd: folder });
const here = (name: string, text: string): void => writeFileSync(join(folder, name), text);
const textOf = (name: string): string => readFileSync(join(folder, name), 'utf8');
const inForce = async (file: string): Promise<unknown> => {
  const { code, stdout, stderr } = await lastbyte(['print-config', '--json', '--config', file], {
    cwd: folder,
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const settings: unknown = JSON.parse(stdout);
  return settings;
};

describe('the file that it writes', () => {
  test('is accepted as it is, with three options in force', async () => {
    expect(await init()).toMatchObject({ code: 0, stderr: '' });
    expect(readdirSync(folder)).toEqual(['lastbyte.yaml']);
    expect(parse(textOf('lastbyte.yaml'))).toEqual({
      target: 'http://127.0.0.1:8000',
      port: 8080,
      'admin-port': 8081,
    });
    expect(await inForce('lastbyte.yaml')).toMatchObject({
      target: { value: 'http://127.0.0.1:8000', from: expect.stringMatching(/^lastbyte\.yaml:\d+$/) },
      retries: { value: 2, from: 'default' },
    });
  });

  test('holds every option, which is accepted with its default when its # is taken away', async () => {
    await init();
    const all = textOf('lastbyte.yaml').replaceAll(/^#(?=[a-z-]+: )/gm, '');
    here('all.yaml', all);
    expect(Object.keys(Object(parse(all))).sort()).toEqual(OPTIONS.map(({ name }) => name).sort());
    const { stdout } = await lastbyte(['print-config', '--json'], { cwd: folder });
    const values = (settings: unknown): unknown =>
      Object.entries(Object(settings)).map(([name, one]) => [name, Object(one).value]);
    expect(values(await inForce('all.yaml'))).toEqual(values(JSON.parse(stdout)));
  });

  test.each([
    ['5000', 'http://localhost:5000'],
    ['django:8000', 'http://django:8000'],
    ['unix:/run/app.sock', 'unix:/run/app.sock'],
    ['https://localhost', 'https://localhost:443'],
  ])('names the target that is given as %s', async (given, target) => {
    expect((await init(given)).stdout).toContain(`Wrote lastbyte.yaml, in front of ${target}.\n`);
    expect(await inForce('lastbyte.yaml')).toMatchObject({ target: { value: target } });
  });

  test.each(['8080', '8081'])('leaves port %s to a server that is there', async (port) => {
    const { stdout } = await init(port, '--compose');
    expect(stdout).toContain('http://127.0.0.1:8090/, and http://127.0.0.1:8091/');
    expect(await inForce('lastbyte.yaml')).toMatchObject({
      port: { value: 8090 },
      'admin-port': { value: 8091 },
    });
    expect(textOf('compose.lastbyte.yaml')).toContain("['127.0.0.1:8090:8090', '127.0.0.1:8091:8091']");
  });

  test('points an editor to the schema where lastbyte is installed', async () => {
    const config = join(folder, 'node_modules', 'lastbyte', 'config');
    mkdirSync(config, { recursive: true });
    writeFileSync(join(config, 'schema.json'), '{}');
    await init();
    const [first = ''] = textOf('lastbyte.yaml').split('\n');
    const [, schema = ''] = /^# yaml-language-server: \$schema=(.*)$/.exec(first) ?? [];
    expect(readFileSync(join(folder, schema), 'utf8')).toBe('{}');
  });
});

describe('what it finds in the folder', () => {
  test.each([
    ['manage.py', "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'x')\n", 'Django', 8000],
    ['app.py', 'import os\nfrom flask import Flask\n', 'Flask', 5000],
    ['wsgi.py', 'import flask\n', 'Flask', 5000],
  ])('%s tells of its server', async (file, text, server, port) => {
    here(file, text);
    expect((await init()).stdout).toContain(`in front of http://127.0.0.1:${port} (${file}: ${server}).`);
    expect(await inForce('lastbyte.yaml')).toMatchObject({ target: { value: `http://127.0.0.1:${port}` } });
  });

  test('counts less than a target that is given', async () => {
    here('app.py', 'from flask import Flask\n');
    expect((await init('9000')).stdout).toContain('in front of http://localhost:9000.\n');
  });

  test.each([
    ['app.py', 'from flask_like import App\n'],
    ['manage.py', '# not from Django\n'],
  ])('%s of another kind tells nothing', async (file, text) => {
    here(file, text);
    expect((await init()).stdout).toContain('in front of http://127.0.0.1:8000.\n');
  });
});

describe('the service for docker compose', () => {
  test('is shown, or written when asked, and is the same', async () => {
    const shown = (await init()).stdout.split(/^(?=services:$)/m)[1];
    const { code, stdout } = await init('--compose', '--force');
    expect(code).toBe(0);
    expect(textOf('compose.lastbyte.yaml')).toBe(shown);
    expect(stdout).toContain('docker compose -f compose.yaml -f compose.lastbyte.yaml up\n');
  });

  test('is named beside the compose file that is there', async () => {
    here('docker-compose.yml', 'services: {}\n');
    const { stdout } = await init('--compose');
    expect(stdout).toContain('docker compose -f docker-compose.yml -f compose.lastbyte.yaml up\n');
    expect(textOf('docker-compose.yml')).toBe('services: {}\n');
  });

  test('starts lastbyte and asks for its health with variables that it knows', async () => {
    await init('5000', '--compose');
    const { lastbyte: service } = parse(textOf('compose.lastbyte.yaml')).services;
    expect(service).toMatchObject({ read_only: true, tmpfs: ['/tmp'] });
    expect(service.healthcheck.test).toEqual(['CMD', 'node', '/app/dist/bin.js', 'healthcheck']);
    expect(service.volumes).toEqual([`./lastbyte.yaml:${service.environment.LASTBYTE_CONFIG}:ro`]);
    const env = { ...service.environment, LASTBYTE_CONFIG: join(folder, 'lastbyte.yaml') };
    const { code, stdout } = await lastbyte(['print-config', '--json'], { env });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      target: { value: 'http://web:5000' },
      host: { value: '0.0.0.0' },
      'admin-host': { value: '0.0.0.0' },
    });
  });
});

test('the service is built from the folder of the lastbyte that wrote it, as it is seen from there', async () => {
  await init('--compose');
  const { lastbyte: service } = parse(textOf('compose.lastbyte.yaml')).services;
  expect(readFileSync(join(folder, service.build, 'Dockerfile'), 'utf8')).toContain('/app/dist/bin.js');
});

describe('what exists', () => {
  test('is never overwritten without --force, and nothing else is written either', async () => {
    here('compose.lastbyte.yaml', 'mine');
    expect(await init('--compose')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'compose.lastbyte.yaml exists, and is left as it is: --force replaces it.\n',
    });
    expect(readdirSync(folder)).toEqual(['compose.lastbyte.yaml']);
    expect(textOf('compose.lastbyte.yaml')).toBe('mine');
    expect(await init('--compose', '--force')).toMatchObject({ code: 0 });
    expect(textOf('compose.lastbyte.yaml')).toMatch(/^services:/);
  });

  test('as a link to nowhere is left too', async () => {
    spawnSync('ln', ['-s', join(folder, 'elsewhere', 'x'), join(folder, 'lastbyte.yaml')]);
    expect(await init()).toMatchObject({ code: 1, stderr: expect.stringContaining('lastbyte.yaml exists') });
  });

  test('as a folder is told', async () => {
    mkdirSync(join(folder, 'lastbyte.yaml'));
    expect(await init('--force')).toEqual({
      code: 1,
      stdout: '',
      stderr: `lastbyte.yaml cannot be written in ${folder}: there is a folder of that name.\n`,
    });
  });
});

test('a folder that this user may not write in is told', async () => {
  chmodSync(folder, 0o555);
  // Root may write everywhere but where nobody can: the folder of the kernel's own files.
  const cwd = process.getuid?.() === 0 ? '/proc' : folder;
  const { code, stdout, stderr } = await lastbyte(['init'], { cwd });
  chmodSync(folder, 0o755);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/^lastbyte\.yaml cannot be written in \S+: .+\.\n$/);
});

describe('bad usage exits with 2, and nothing is written:', () => {
  test.each([
    [['a:1', 'b:2'], 'argument b:2: is one argument too many. Write only one target.'],
    [['--forse'], '--forse: is not a flag of lastbyte init. Did you mean --force?'],
    [['--force=yes'], '--force: "yes" is neither true nor false. Write true or false.'],
    [['-f'], '-f: is not a flag of lastbyte init. lastbyte init --help lists all flags.'],
    [
      ['http://x:1/api'],
      'argument target: "http://x:1/api" contains a path. Remove it: each request\'s path is passed on unchanged.',
    ],
  ])('%j', async (args, sentence) => {
    expect(await init(...args)).toEqual({
      code: 2,
      stdout: '',
      stderr: `lastbyte: one fault on the command line\n  ${sentence}\n`,
    });
    expect(readdirSync(folder)).toEqual([]);
  });
});

test('init --help names its flags, in 100 columns', async () => {
  const { code, stdout } = await init('--help');
  expect(code).toBe(0);
  for (const flag of ['--compose', '--force']) expect(stdout).toContain(` ${flag} `);
  for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
});
