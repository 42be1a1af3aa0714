/**
 * What the documents and examples show of lastbyte inside other servers is used as it is, out of the package in an empty
 * project, and brings a whole response from a server that cuts.
 */

import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { linkTools, NEXT, NEXT_FOLDER, whyNoTool } from '../../scripts/compare/tools.ts';
import { Installed } from '../cli/installed.ts';
import { needForEach } from '../harness/need.ts';
import { runClient, ServerProcess } from '../harness/process.ts';
import { fileIn, ROOT } from './markdown.ts';
import { ROWS, startUnread } from './unread.ts';

const UPSTREAM = /http:\/\/127\.0\.0\.1:8000/g;
/** More than the buffers on the way take in. */
const UPLOAD = 'x'.repeat(200_000);

let project: Installed;
beforeAll(async () => {
  project = await Installed.install();
  linkTools(project.folder);
}, 120_000);
afterAll(() => project[Symbol.dispose]());

/** How many rows the response to a chunked POST has, or what else came. */
async function postRows(port: number, target: string): Promise<number | string> {
  const headers = { 'Transfer-Encoding': 'chunked', Connection: 'close' };
  const outgoing = request({ port, host: '127.0.0.1', path: target, method: 'POST', headers, agent: false });
  outgoing.end(UPLOAD);
  const [response]: IncomingMessage[] = await once(outgoing, 'response');
  const body = response === undefined ? '' : await text(response);
  if (response?.statusCode !== 200) return body;
  const { rows }: { rows: readonly unknown[] } = JSON.parse(body);
  return rows.length;
}

/**
 * On a busy machine the first may take longer than `--body-hold`, which the files leave at its default: by then the route is
 * known.
 */
async function expectRows(server: ServerProcess, target: string): Promise<void> {
  const rows = async (): Promise<unknown> => await postRows(server.port, target).catch(String);
  await rows();
  for (let asked = 0; asked < 3; asked += 1) expect(await rows(), server.output).toBe(ROWS);
}

/** The package's own command, as `npx` would find it. */
const VITE = path.join(ROOT, 'node_modules', 'vite', 'bin', 'vite.js');

/** A Node program in the project, which listens on PORT. */
async function start(args: readonly string[], cwd: string, apiUrl: string): Promise<ServerProcess> {
  const env = { PATH: process.env['PATH'], API_URL: apiUrl, NEXT_TELEMETRY_DISABLED: '1' };
  return await ServerProcess.start((port) => ({
    ...(args[0] === VITE && { says: /Local:/ }),
    file: process.execPath,
    args: args.map((one) => one.replace('%PORT%', String(port))),
    cwd,
    env: { ...env, PORT: String(port) },
  }));
}

describe('examples/frontend-servers', () => {
  test.each([
    ['vite', [VITE]],
    ['webpack', ['webpack.js']],
    ['express', ['express.js']],
    ['fastify', ['fastify.js']],
    ['node', ['node.js']],
  ])('%s delivers every row', async (name, args) => {
    const folder = path.join(project.folder, `example-${name}`);
    cpSync(path.join(ROOT, 'examples', 'frontend-servers'), folder, { recursive: true });
    await using upstream = await startUnread();
    await using server = await start(args, folder, upstream.url);
    await expectRows(server, '/report');
    const page = await (await fetch(server.url)).text();
    expect(page).toContain(name === 'node' ? 'This is not proxied.' : '<h1>');
  });
});

/** The example where Next is: Turbopack follows no link out of its root. */
class NextSite implements Disposable {
  readonly folder = mkdtempSync(path.join(NEXT_FOLDER, '.site-'));

  constructor() {
    const example = path.join(ROOT, 'examples', 'frontend-servers');
    cpSync(example, this.folder, { recursive: true });
    mkdirSync(path.join(this.folder, 'node_modules'));
    const installed = path.join('node_modules', 'lastbyte');
    symlinkSync(path.join(project.folder, installed), path.join(this.folder, installed));
    const config = { turbopack: { root: NEXT_FOLDER } };
    writeFileSync(path.join(this.folder, 'next.config.js'), `export default ${JSON.stringify(config)};`);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }
}

describe('Next', () => {
  needForEach(whyNoTool(NEXT));

  test.each([
    ['examples/frontend-servers', 'next.js', '/report'],
    ['docs/middleware.md', 'next.mjs', '/api/report'],
  ])('with the file of %s delivers every row, and its own page', async (_document, name, target) => {
    await using upstream = await startUnread();
    using site = new NextSite();
    const source = fileIn('docs/middleware.md', 'next.mjs').replaceAll(UPSTREAM, upstream.url);
    writeFileSync(path.join(site.folder, 'next.mjs'), source.replace('3000', 'process.env.PORT'));
    await using server = await start([name], site.folder, upstream.url);
    await expectRows(server, target);
    expect(await (await fetch(server.url)).text()).toContain('<h1>');
  });
});

/** Writes a file of a document into a folder of its own. */
function write(document: string, name: string, apiUrl: string): string {
  const folder = path.join(project.folder, `${path.basename(document)}-${name.replace('/', '-')}`);
  mkdirSync(folder);
  const file = path.join(folder, path.basename(name));
  writeFileSync(file, fileIn(document, name).replaceAll(UPSTREAM, apiUrl));
  return file;
}

describe('the documents', () => {
  test.each([
    ['docs/middleware.md', 'vite.config.js'],
    ['docs/frontend.md', 'plugin/vite.config.js'],
  ])('%s: Vite delivers every row with %s', async (document, name) => {
    await using upstream = await startUnread();
    const folder = path.dirname(write(document, name, upstream.url));
    const args = [VITE, '--host', '127.0.0.1', '--port', '%PORT%', '--strictPort'];
    await using server = await start(args, folder, upstream.url);
    await expectRows(server, '/api/report');
  });

  test.each(['server.mjs', 'fastify.mjs'])('docs/middleware.md: %s delivers every row', async (name) => {
    await using upstream = await startUnread();
    const file = write('docs/middleware.md', name, upstream.url);
    const source = fileIn('docs/middleware.md', name).replaceAll(UPSTREAM, upstream.url);
    writeFileSync(file, source.replace('3000', 'process.env.PORT'));
    await using server = await start([file], path.dirname(file), upstream.url);
    await expectRows(server, '/api/report');
  });

  test('docs/middleware.md: its log is JavaScript that runs', async () => {
    const file = write('docs/middleware.md', 'log.mjs', 'http://127.0.0.1:9');
    const { code, stderr } = await runClient(process.execPath, [file]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  test('docs/frontend.md: webpack-dev-server and Express deliver every row with its files', async () => {
    await using upstream = await startUnread();
    const webpackConfig = write('docs/frontend.md', 'middleware/webpack.config.js', upstream.url);
    const setupProxy = write('docs/frontend.md', 'middleware/setupProxy.js', upstream.url);
    const webpackProgram = `
      const [webpack, Server] = [require('webpack'), require('webpack-dev-server')];
      const { devServer } = require(${JSON.stringify(webpackConfig)});
      const compiler = webpack({ mode: 'development', entry: {} });
      new Server({ ...devServer, host: '127.0.0.1', port: process.env.PORT }, compiler).start();`;
    const expressProgram = `
      const app = require('express')();
      require(${JSON.stringify(setupProxy)})(app);
      app.listen(process.env.PORT, '127.0.0.1');`;
    for (const program of [webpackProgram, expressProgram]) {
      await using server = await start(['-e', program], project.folder, upstream.url);
      await expectRows(server, '/api/report');
    }
  });
});
