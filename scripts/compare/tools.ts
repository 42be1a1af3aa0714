/** Servers that frontends are developed with, each with its own proxy and with lastbyte in its place. */

import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { environment, ServerProcess } from '../../test/harness/process.ts';
import { numberedBody } from '../../test/real/numbered-body.ts';
import type { Ask } from './outcome.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
/** Where scripts/install-next.sh puts it. */
export const NEXT_FOLDER = path.join(ROOT, 'node_modules', '.cache', 'lastbyte-next');
const PROGRAM = path.join(ROOT, 'test', 'real', 'apps', 'tool-server.js');

const LARGE = numberedBody(5_000_000);
/** What each is asked for: the server's view never reads the request body. */
export const UNREAD: Ask = {
  method: 'POST',
  upload: 'chunked',
  path: `/bytes/${LARGE.length}`,
  expected: LARGE,
  slow: true,
};

export interface Tool {
  readonly name: string;
  /** As it is installed here. */
  readonly module: string;
  /** Its proxy, where that is a package of its own. */
  readonly proxyModule: string | null;
  /** Where the page's socket for reloading is; null: it has none, or asks for a token. */
  readonly reloadPath: string | null;
}

const tool = (name: string, module: string, proxyModule: string | null = null): Tool => ({
  name,
  module,
  proxyModule,
  reloadPath: null,
});

export const NEXT: Tool = { ...tool('Next', 'next'), reloadPath: '/_next/hmr?id=x' };

export const TOOLS: readonly Tool[] = [
  tool('Vite', 'vite'),
  tool('Vite', 'vite-7'),
  { ...tool('webpack-dev-server', 'webpack-dev-server'), reloadPath: '/ws' },
  tool('Express', 'express', 'http-proxy-middleware'),
  tool('Express', 'express-4', 'http-proxy-middleware'),
  tool('Fastify', 'fastify', '@fastify/http-proxy'),
  NEXT,
];

/** Besides the tools and their proxies. */
const MORE_MODULES = ['webpack', '@fastify/middie'];

/** Makes all tools but Next importable in this folder. */
export function linkTools(folder: string): void {
  const tools = TOOLS.filter((one) => one !== NEXT).flatMap((one) => [
    one.module,
    one.proxyModule ?? one.module,
  ]);
  for (const name of new Set([...tools, ...MORE_MODULES])) {
    const link = path.join(folder, 'node_modules', name);
    mkdirSync(path.dirname(link), { recursive: true });
    symlinkSync(path.join(ROOT, 'node_modules', name), link);
  }
}

/** Why this tool cannot run here, as a sentence; null when it can. */
export function whyNoTool({ name, module }: Tool): string | null {
  return existsSync(packageFile(module)) ? null : `${name} is not installed (scripts/install-next.sh).`;
}

export function titleOf({ name, module, proxyModule }: Tool): string {
  const own = proxyModule === null ? '' : `, ${proxyModule} ${versionOf(proxyModule)}`;
  return `${name} ${versionOf(module)}${own}`;
}

function versionOf(module: string): string {
  if (!existsSync(packageFile(module))) return '(not here)';
  const { version }: { version: string } = JSON.parse(readFileSync(packageFile(module), 'utf8'));
  return version;
}

function packageFile(module: string): string {
  const folder = module === NEXT.module ? NEXT_FOLDER : ROOT;
  return path.join(folder, 'node_modules', module, 'package.json');
}

/**
 * @param folder where lastbyte and the tools are installed, and the program was copied to as `tool-server.mjs`; the repository itself if none is named
 * @param bodyHoldMs how long lastbyte holds a request body back
 */
export async function startTool(
  { module }: Tool,
  proxy: 'own' | 'lastbyte',
  target: string,
  folder?: string,
  bodyHoldMs = 500,
): Promise<ServerProcess> {
  return await ServerProcess.start((port) => ({
    file: process.execPath,
    args: [
      folder === undefined ? PROGRAM : path.join(folder, 'tool-server.mjs'),
      module,
      proxy,
      String(port),
      target,
      String(bodyHoldMs),
    ],
    cwd: module === NEXT.module ? NEXT_FOLDER : (folder ?? path.join(ROOT, 'node_modules')),
    env: environment({ NEXT_TELEMETRY_DISABLED: '1' }),
  }));
}
