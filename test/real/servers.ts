/** The real servers that the tests, the fault table and the demo stand on: how each is started and what it needs. */

import path from 'node:path';
import { type Command, ServerProcess } from '../harness/process.ts';
import { interpreterWith, languageName, type LanguageName } from './interpreter.ts';

const APPS = path.join(import.meta.dirname, 'apps');

interface ServerRow<Name extends string = string> {
  readonly name: Name;
  /** What it runs on, the library without which it cannot, and Debian's package of that; null: Node alone. */
  readonly needs: {
    readonly language: LanguageName;
    readonly library: string;
    readonly debianPackage: string;
  } | null;
  readonly args: (port: number) => readonly string[];
}

const rowsOf =
  (language: LanguageName) =>
  <Name extends string>(
    name: Name,
    [library, debianPackage]: readonly [string, string],
    args: (port: number) => readonly string[],
  ): ServerRow<Name> => ({ name, needs: { language, library, debianPackage }, args });

const python = rowsOf('python');
const ruby = rowsOf('ruby');
const php = rowsOf('php');

const django = <Name extends string>(name: Name, ...flags: string[]): ServerRow<Name> =>
  python(name, ['django', 'python3-django'], (port) =>
    ['django_app.py', 'runserver', '--noreload'].concat(flags, `127.0.0.1:${port}`),
  );

const gunicorn = <Name extends string>(name: Name, ...worker: string[]): ServerRow<Name> =>
  python(name, ['gunicorn', 'gunicorn'], (port) =>
    ['-m', 'gunicorn', '--bind', `127.0.0.1:${port}`, '--graceful-timeout', '1'].concat(
      worker,
      'wsgi_app:app',
    ),
  );

const httpServer = <Name extends string>(name: Name, version: string): ServerRow<Name> =>
  python(name, ['http.server', 'python3'], (port) => ['http_server_app.py', String(port), version]);

const DEVELOPMENT_SERVERS = [
  django('Django runserver'),
  django('Django runserver --nothreading', '--nothreading'),
  python('Flask (Werkzeug)', ['flask', 'python3-flask'], (port) => ['flask_app.py', String(port)]),
  httpServer('http.server, HTTP/1.0', 'HTTP/1.0'),
  httpServer('http.server, HTTP/1.1', 'HTTP/1.1'),
  php('php -S', ['standard', 'php-cli'], (port) => ['-S', `127.0.0.1:${port}`, 'php_app.php']),
  ruby('WEBrick', ['webrick', 'ruby-webrick'], (port) => ['webrick_app.rb', String(port)]),
] as const;

const APPLICATION_SERVERS = [
  gunicorn('gunicorn sync', '--worker-class', 'sync'),
  gunicorn('gunicorn gthread', '--worker-class', 'gthread', '--threads', '4'),
  python('uvicorn', ['uvicorn', 'python3-uvicorn'], (port) => [
    '-m',
    'uvicorn',
    '--port',
    String(port),
    '--log-level',
    'warning',
    'asgi_app:app',
  ]),
  python('waitress', ['waitress', 'python3-waitress'], (port) => [
    '-m',
    'waitress',
    `--listen=127.0.0.1:${port}`,
    'wsgi_app:app',
  ]),
  python('aiohttp', ['aiohttp', 'python3-aiohttp'], (port) => ['aiohttp_app.py', String(port)]),
  ruby('Puma', ['puma', 'puma'], (port) => [
    '-S',
    'puma',
    '--quiet',
    '--environment',
    'production',
    '--bind',
    `tcp://127.0.0.1:${port}`,
    'puma_app.ru',
  ]),
  { name: "Node's http", needs: null, args: (port: number) => ['node-app.js', String(port)] },
] as const;

const SERVERS = [...DEVELOPMENT_SERVERS, ...APPLICATION_SERVERS];

export type ServerName = (typeof SERVERS)[number]['name'];

/** Two halves, so that two test files can prove them at the same time. */
export const DEVELOPMENT_SERVER_NAMES: readonly ServerName[] = DEVELOPMENT_SERVERS.map(({ name }) => name);
export const APPLICATION_SERVER_NAMES: readonly ServerName[] = APPLICATION_SERVERS.map(({ name }) => name);

export const SERVER_NAMES: readonly ServerName[] = SERVERS.map(({ name }) => name);

function rowOf(name: ServerName): ServerRow {
  const row = SERVERS.find((candidate) => candidate.name === name);
  if (row === undefined) throw new Error(`There is no server ${name}`);
  return row;
}

/** Why this server cannot run here, as a sentence; null when it can. */
export function whyMissing(name: ServerName): string | null {
  const { needs } = rowOf(name);
  if (needs === null || interpreterWith(needs.language, needs.library) !== null) return null;
  const language = languageName(needs.language);
  return `${name} needs ${language} with ${needs.library} (Debian: apt-get install ${needs.debianPackage}).`;
}

/** Starts the server on a free port of 127.0.0.1; disposing ends it. */
export async function startServer(name: ServerName): Promise<ServerProcess> {
  const missing = whyMissing(name);
  if (missing !== null) throw new Error(missing);
  return await ServerProcess.start((port) => serverCommand(name, port));
}

/** Starts the server on this very port, for those who want to know the address beforehand. */
export async function startServerOn(name: ServerName, port: number): Promise<ServerProcess> {
  return await ServerProcess.startOn(port, serverCommand(name, port));
}

function serverCommand(name: ServerName, port: number): Command {
  const { needs, args } = rowOf(name);
  const file = needs === null ? process.execPath : interpreterWith(needs.language, needs.library);
  if (file === null) throw new Error(whyMissing(name) ?? name);
  return { file, args: args(port), cwd: APPS };
}
