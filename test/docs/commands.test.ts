/** Every command of the documents is run here, or named with where else it is run. */

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test, type TestContext } from 'vitest';
import { get } from '../cli/servers.ts';
import { eventually } from '../harness/procfs.ts';
import { need, whyNo } from '../harness/need.ts';
import { whyNoPython } from '../real/python.ts';
import { HOW, OTHERS_RUN, type How } from './how-run.ts';
import { ROOT } from './markdown.ts';
import { COMMANDS } from './sh-lines.ts';
import { Shell } from './shell.ts';

const listed = Object.entries(HOW);
const ofKind = <K extends How['kind']>(kind: K): [string, Extract<How, { kind: K }>][] =>
  listed.flatMap(([command, how]) => (isKind(how, kind) ? [[command, how]] : []));

function isKind<K extends How['kind']>(how: How, kind: K): how is Extract<How, { kind: K }> {
  return how.kind === kind;
}

/** Also those that stand beside another one: what asks it, and what it needs first. */
const known = new Set(
  listed.flatMap(([command, how]) =>
    how.kind === 'serves' ? [command, how.ask, how.before ?? ''] : [command],
  ),
);

test('no document has a command that no test runs', () => {
  const unknown = COMMANDS.filter(({ file, text }) => !(file in OTHERS_RUN) && !known.has(text));
  expect(unknown).toEqual([]);
});

test('no command is listed that no document has', () => {
  const texts = new Set(COMMANDS.map(({ text }) => text));
  expect(listed.map(([command]) => command).filter((command) => !texts.has(command))).toEqual([]);
});

test.each(ofKind('elsewhere'))('%s is run elsewhere', (_command, { where, words }) => {
  expect(existsSync(path.join(ROOT, where))).toBe(true);
  expect(readFileSync(path.join(ROOT, where), 'utf8')).toContain(words);
});

/** What commands run, and what --curl writes; bash reads them all. */
const PROGRAMS = ['curl', 'openssl', 'ss'] as const;

function needPrograms(context: TestContext, ...commands: readonly string[]): void {
  const text = commands.join('\n');
  const named = PROGRAMS.filter((program) => new RegExp(`(?:^|[\\s-])${program} `).test(text));
  need(context, whyNo('bash', ...named));
}

test.for(ofKind('serves'))('%s', async ([command, { ask, before, in: folder }], context) => {
  needPrograms(context, ask, before ?? '');
  await using shell = await Shell.open();
  await shell.serveSocket();
  if (before !== undefined) expect((await shell.start(before).finished).code).toBe(0);
  const running = shell.start(command, folder === 'root' ? ROOT : undefined);
  await running.url();
  const asked = await shell.start(ask).finished;
  expect({ code: asked.code, stderr: asked.stderr }).toMatchObject({ code: 0 });
  running.signal('SIGTERM');
  const { code, stderr } = await running.finished;
  // npm has warnings of its own, and dies of the signal.
  const own = stderr.split('\n').filter((line) => !line.startsWith('npm '));
  const npm = folder === 'root';
  expect({ code, stderr: own.join('\n') }).toEqual({ code: npm ? null : 0, stderr: '' });
});

test.for(ofKind('ends'))('%s', async ([command, { code, says }], context) => {
  needPrograms(context, command);
  await using shell = await Shell.open();
  // One that starts its own needs the port.
  const beside = command.includes('&\n') ? null : shell.start('npx lastbyte 8000');
  await beside?.url();
  const run = await shell.start(command).finished;
  expect([code].flat(), run.stderr).toContain(run.code);
  if (says !== undefined) expect(run.stdout).toMatch(says);
});

test.for(ofKind('listens'))('%s', async ([command, { module, folder }], context) => {
  need(context, whyNo('bash'), whyNoPython(module));
  await using shell = await Shell.open('none');
  shell.usePython(module);
  const cwd = folder === 'django' ? path.join(ROOT, 'examples', 'django') : shell.folder;
  const running = shell.start(command, cwd);
  let status = 0;
  const answers = await eventually(() => {
    void get(`http://127.0.0.1:${shell.port('8000')}/report`).then(
      (answer) => (status = answer.status),
      () => undefined,
    );
    return status !== 0;
  });
  expect(answers, running.stderr).toBe(true);
  expect([200, 405]).toContain(status);
});
