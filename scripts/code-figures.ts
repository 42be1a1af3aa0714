/**
 * How large the house is, and how far a request walks in it: files and lines of src/, and, from V8's own call counts, the
 * functions entered and the files crossed by one warm GET, POST and streamed GET.
 *
 * `npm run figures`; the walk is measured in this process, with the inspector off and on.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { Agent, createServer, request as httpRequest } from 'node:http';
import type { Server } from 'node:http';
import { Session } from 'node:inspector/promises';
import type { Profiler } from 'node:inspector/promises';
import path from 'node:path';
import { createProxy } from '../src/index.ts';

const ROOT = path.join(import.meta.dirname, '..');
const SRC = path.join(ROOT, 'src');
/** Enough for lazy feedback and for the connection pool to be as it stays. */
const WARM_UP = 200;
const MEASURED = 100;

function printRooms(): void {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  const lines = files.map((file) => linesOf(file)).sort((a, b) => a - b);
  const importers = files.map(
    (file) => files.filter((other) => other !== file && imports(other, file)).length,
  );
  const rows: readonly (readonly [string, number])[] = [
    ['TypeScript files in src/', files.length],
    ['lines', lines.reduce((sum, one) => sum + one, 0)],
    ['median lines of a file', lines[Math.floor(lines.length / 2)] ?? 0],
    ['files under 20 lines', lines.filter((one) => one < 20).length],
    ['files over 250 lines', lines.filter((one) => one > 250).length],
    ['longest file', lines.at(-1) ?? 0],
    ['files with one importer', importers.filter((count) => count === 1).length],
  ];
  for (const [what, figure] of rows) print(what, String(figure));
}

function linesOf(file: string): number {
  return readFileSync(path.join(SRC, file), 'utf8').split('\n').length - 1;
}

function imports(importer: string, imported: string): boolean {
  const text = readFileSync(path.join(SRC, importer), 'utf8');
  const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)];
  return specifiers.some(([, name = '']) => path.join(path.dirname(importer), name) === imported);
}

interface Asked {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body: Buffer | null;
}

const WALKS: readonly (readonly [string, Asked])[] = [
  ['GET', { method: 'GET', path: '/page', body: null }],
  ['POST', { method: 'POST', path: '/form', body: Buffer.alloc(1000, 'b') }],
  ['streamed GET', { method: 'GET', path: '/events', body: null }],
];

async function printWalks(): Promise<void> {
  const upstream = await listening();
  for (const admin of [false, true]) {
    const options = {
      target: `http://127.0.0.1:${portOf(upstream)}`,
      port: 0,
      adminPort: 0,
      admin,
      bodyHold: 0,
    };
    const proxy = createProxy({ ...options, stream: ['/events'] });
    await proxy.start();
    const { url } = proxy;
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (const [what, asked] of WALKS) {
      const { functions, files } = await walk(() => ask(url, asked, agent));
      print(`${what}${admin ? ', inspector on' : ''}: functions entered`, functions.toFixed(0));
      print(`${what}${admin ? ', inspector on' : ''}: files crossed`, String(files));
    }
    agent.destroy();
    await proxy.close();
  }
  upstream.close().closeAllConnections();
}

async function listening(): Promise<Server> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      response
        .writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': 1024 })
        .end(Buffer.alloc(1024, 'a'));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

function portOf(server: Server): number {
  const address = server.address();
  return address === null || typeof address === 'string' ? 0 : address.port;
}

/** What one of many calls costs, in functions of src/; V8 counts exactly. */
async function walk(
  call: () => Promise<void>,
): Promise<{ readonly functions: number; readonly files: number }> {
  for (let count = 0; count < WARM_UP; count += 1) await call();
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  for (let count = 0; count < MEASURED; count += 1) await call();
  const { result } = await session.post('Profiler.takePreciseCoverage');
  session.disconnect();
  const own = result.filter(({ url }) => url.includes(SRC)).map((script) => callsOf(script) / MEASURED);
  // What was called once in a while, such as a timer, is no part of the walk.
  const crossed = own.filter((calls) => calls >= 1);
  return { functions: crossed.reduce((sum, calls) => sum + calls, 0), files: crossed.length };
}

function callsOf({ functions }: Profiler.ScriptCoverage): number {
  return functions.reduce((sum, { ranges: [whole] }) => sum + (whole?.count ?? 0), 0);
}

async function ask(url: string, { method, path: target, body }: Asked, agent: Agent): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const headers = body === null ? {} : { 'Content-Length': body.length };
    const request = httpRequest(`${url}${target}`, { method, agent, headers }, (response) => {
      response.resume().on('end', () => setImmediate(resolve));
    });
    request.on('error', reject).end(body ?? undefined);
  });
}

function print(what: string, figure: string): void {
  process.stdout.write(`${what.padEnd(48)} ${figure.padStart(8)}\n`);
}

printRooms();
await printWalks();
