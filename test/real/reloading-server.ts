/** Django's runserver with its autoreloader on, over a copy of its sources that a test may touch. */

import { cp, mkdtemp, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ServerProcess } from '../harness/process.ts';
import { pythonWith } from './python.ts';

const APPS = path.join(import.meta.dirname, 'apps');

export interface ReloadingServer extends AsyncDisposable {
  readonly url: string;
  /** Gives a source file a new time, which makes the server restart within about a second. */
  touch(): Promise<void>;
}

export async function startReloadingServer(): Promise<ReloadingServer> {
  const folder = await mkdtemp(path.join(tmpdir(), 'lastbyte-reloading-'));
  await cp(APPS, folder, { recursive: true });
  const server = await ServerProcess.start((port) => ({
    file: pythonWith('django') ?? 'python3',
    args: ['django_app.py', 'runserver', `127.0.0.1:${port}`],
    cwd: folder,
  }));
  return {
    url: server.url,
    touch: () => utimes(path.join(folder, 'answers.py'), new Date(), new Date()),
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
