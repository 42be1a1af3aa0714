/** docs/recipes.md and docs/frontend.md: each file that they show is used as it is, and brings a whole response from a server that cuts. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { once } from 'node:events';
import path from 'node:path';
import { json } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { TestProxy } from '../harness/proxy.ts';
import { ServerProcess, runClient } from '../harness/process.ts';
import { need } from '../harness/need.ts';
import { pythonWith, whyNoPython } from '../real/python.ts';
import { PATIENT } from '../real/front.ts';
import { ROOT, fileIn } from './markdown.ts';
import { ROWS, startUnread } from './unread.ts';

const RECIPES = 'docs/recipes.md';
const FRONTEND = 'docs/frontend.md';
const LASTBYTE = /http:\/\/127\.0\.0\.1:8080/g;
/** More than the buffers on the way take in. */
const UPLOAD = 'x'.repeat(200_000);

/** A folder inside the repository, so that the packages of the recipes are found. */
class Kitchen implements Disposable {
  readonly folder = mkdtempSync(path.join(ROOT, 'node_modules', '.docs-recipes-'));

  /** The file as it is shown, with lastbyte at `url`. */
  write(name: string, url: string, document = RECIPES): string {
    const file = path.join(this.folder, path.basename(name));
    writeFileSync(file, fileIn(document, name).replaceAll(LASTBYTE, url));
    return file;
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }
}

type Framing = Readonly<Record<string, string>>;
const CHUNKED: Framing = { 'Transfer-Encoding': 'chunked' };

/** How many rows the response has. */
async function postRows(port: number, target = '/api/report', framing: Framing = CHUNKED): Promise<number> {
  const headers = { ...framing, Connection: 'close' };
  const outgoing = request({ port, host: '127.0.0.1', path: target, method: 'POST', headers, agent: false });
  outgoing.end(UPLOAD);
  const [response]: IncomingMessage[] = await once(outgoing, 'response');
  const answer: unknown = response === undefined ? null : await json(response);
  return typeof answer === 'object' && answer !== null && 'rows' in answer && Array.isArray(answer.rows)
    ? answer.rows.length
    : 0;
}

describe('a Node client', () => {
  test.each(['fetch.mjs', 'agent.mjs'])('%s gets every row', async (name) => {
    using kitchen = new Kitchen();
    await using upstream = await startUnread();
    await using proxy = await TestProxy.start(upstream.url, PATIENT);
    const run = await runClient(process.execPath, [kitchen.write(name, proxy.url)]);
    expect({ stderr: run.stderr, stdout: run.stdout.toString() }).toEqual({
      stderr: '',
      stdout: `${ROWS}\n`,
    });
  });

  test.each(['fetch.mjs', 'agent.mjs'])('%s throws the sentence of a 502', async (name) => {
    using kitchen = new Kitchen();
    await using upstream = await startUnread();
    await using proxy = await TestProxy.start(upstream.url, { maxResponseBody: '1mb', diskTotal: '1gb' });
    const run = await runClient(process.execPath, [kitchen.write(name, proxy.url)]);
    expect(run.stderr).toContain('--max-response-body');
    expect(run.code).not.toBe(0);
  });

  test.each(['axios.mjs', 'got.mjs'])('%s is JavaScript', (name) => {
    using kitchen = new Kitchen();
    const file = kitchen.write(name, 'http://127.0.0.1:8080');
    expect(spawnSync(process.execPath, ['--check', file], { encoding: 'utf8' }).stderr).toBe('');
  });
});

test("Vite's own server passes every row on", async () => {
  using kitchen = new Kitchen();
  await using upstream = await startUnread();
  await using proxy = await TestProxy.start(upstream.url, PATIENT);
  const config = kitchen.write('vite.config.js', proxy.url, FRONTEND);
  const vite = path.join(ROOT, 'node_modules', 'vite', 'bin', 'vite.js');
  await using server = await ServerProcess.start((port) => ({
    says: /Local:/,
    file: process.execPath,
    args: [vite, '--config', config, '--host', '127.0.0.1', '--port', String(port), '--strictPort'],
    cwd: kitchen.folder,
  }));
  expect(await postRows(server.port)).toBe(ROWS);
  expect((await proxy.record()).verdict).toBe('complete');
});

test.each([
  ['webpack-dev-server', 'webpack.config.js'],
  ['Create React App', 'src/setupProxy.js'],
])("%s's proxy layer passes every row on, with %s", async (_name, file) => {
  using kitchen = new Kitchen();
  await using upstream = await startUnread();
  await using proxy = await TestProxy.start(upstream.url, PATIENT);
  const settings = kitchen.write(file, proxy.url, FRONTEND);
  await using server = await ServerProcess.start((port) => ({
    file: process.execPath,
    args: [path.join(import.meta.dirname, 'middleware-server.js'), settings, String(port)],
    cwd: kitchen.folder,
  }));
  expect(await postRows(server.port), server.output).toBe(ROWS);
  expect((await proxy.record()).verdict).toBe('complete');
});

test('Next is told to ask lastbyte', async () => {
  using kitchen = new Kitchen();
  const file = kitchen.write('next.config.js', 'http://127.0.0.1:9', FRONTEND);
  const print = `require(${JSON.stringify(file)}).rewrites().then((all) => console.log(JSON.stringify(all)))`;
  const run = await runClient(process.execPath, ['-e', print]);
  expect(JSON.parse(run.stdout.toString())).toEqual([
    { source: '/api/:path*', destination: 'http://127.0.0.1:9/api/:path*' },
  ]);
});

/** The Flask application of the recipes, with a module of it. */
async function startFlask(kitchen: Kitchen, module: string): Promise<ServerProcess> {
  for (const name of new Set(['app.py', `${module}.py`])) kitchen.write(name, '');
  return await ServerProcess.start((port) => ({
    file: pythonWith('flask') ?? '',
    args: ['-m', 'flask', '--app', module, 'run', '--port', String(port)],
    cwd: kitchen.folder,
  }));
}

describe('Flask', () => {
  test('gives every row through lastbyte, also to a chunked body', async (context) => {
    need(context, whyNoPython('flask'));
    using kitchen = new Kitchen();
    await using server = await startFlask(kitchen, 'app');
    await using proxy = await TestProxy.start(server.url, { bodyHold: '5s' });
    for (let asked = 0; asked < 3; asked += 1) expect(await postRows(proxy.port, '/report')).toBe(ROWS);
  });

  test('reads the body in each view, and is then safe with a length', async (context) => {
    need(context, whyNoPython('flask'));
    using kitchen = new Kitchen();
    await using server = await startFlask(kitchen, 'read_body');
    const length = { 'Content-Length': String(UPLOAD.length) };
    for (let asked = 0; asked < 3; asked += 1)
      expect(await postRows(server.port, '/report', length)).toBe(ROWS);
  });
});
