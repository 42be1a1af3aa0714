/** Real dev servers after `--`: lastbyte starts them, lives through their restarts, and leaves nothing of them running. */

import { cp, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startLastbyte, type RunningLastbyte } from '../harness/lastbyte.ts';
import { freePort, isFree } from '../harness/ports.ts';
import { environment } from '../harness/process.ts';
import { need } from '../harness/need.ts';
import { pythonWith } from './python.ts';
import { whyMissing } from './servers.ts';

const APPS = path.join(import.meta.dirname, 'apps');
const VITE = fileURLToPath(new URL('../../node_modules/vite/bin/vite.js', import.meta.url));

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'lastbyte-command-'));
  await cp(APPS, folder, { recursive: true });
  await writeFile(path.join(folder, 'index.html'), '<title>vite</title>');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Front extends AsyncDisposable {
  readonly lastbyte: RunningLastbyte;
  readonly url: string;
  /** Where the server listens. */
  readonly target: number;
}

async function front(commandOn: (port: number) => readonly string[]): Promise<Front> {
  const target = await freePort();
  const port = await freePort();
  const args = [String(target), '--port', String(port), '--no-admin', '--wait-for-upstream', '30s'];
  const lastbyte = startLastbyte([...args, '--', ...commandOn(target)], { cwd: folder, env: environment() });
  await lastbyte.listening(port);
  return {
    lastbyte,
    target,
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => lastbyte[Symbol.asyncDispose](),
  };
}

const touch = (): Promise<void> => utimes(path.join(folder, 'answers.py'), new Date(), new Date());

const RELOADING = [
  [
    'Django runserver',
    (port: number) => [pythonWith('django') ?? '', 'django_app.py', 'runserver', String(port)],
  ],
  [
    'Flask (Werkzeug)',
    (port: number) =>
      [pythonWith('flask') ?? '', '-m', 'flask', '--app', 'flask_app', 'run', '--reload', '--port'].concat(
        String(port),
      ),
  ],
] as const;

describe.each(RELOADING)('%s with its autoreloader', (name, commandOn) => {
  test('serves, restarts under requests, and ends with everything that it has started', async (context) => {
    need(context, whyMissing(name));
    await using running = await front(commandOn);
    expect((await fetch(`${running.url}/echo`)).status).toBe(200);
    // The server notices within a second, and is away for a moment: none of these is refused.
    await touch();
    for (let round = 0; round < 30; round += 1) {
      expect((await fetch(`${running.url}/echo`)).status).toBe(200);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    running.lastbyte.child.kill('SIGTERM');
    const { code } = await running.lastbyte.finished;
    expect([0, 143]).toContain(code);
    expect(await isFree(running.target)).toBe(true);
  });
});

test('Vite serves, and ends', async () => {
  const vite = (port: number): readonly string[] => [
    process.execPath,
    VITE,
    '--port',
    String(port),
    '--strictPort',
  ];
  await using running = await front(vite);
  expect(await (await fetch(`${running.url}/`)).text()).toContain('<title>vite</title>');
  running.lastbyte.child.kill('SIGINT');
  await running.lastbyte.finished;
  expect(await isFree(running.target)).toBe(true);
});
