/** Servers that frontends are developed with, each with its own proxy and with lastbyte in its place. */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ServerProcess } from '../../test/harness/process.ts';
import { numberedBody } from '../../test/real/numbered-body.ts';
import type { Ask } from './outcome.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
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
}

export const TOOLS: readonly Tool[] = [
  { name: 'Vite', module: 'vite', proxyModule: null },
  { name: 'Vite', module: 'vite-7', proxyModule: null },
  { name: 'webpack-dev-server', module: 'webpack-dev-server', proxyModule: null },
  { name: 'Express', module: 'express', proxyModule: 'http-proxy-middleware' },
  { name: 'Express', module: 'express-4', proxyModule: 'http-proxy-middleware' },
];

export function titleOf({ name, module, proxyModule }: Tool): string {
  const own = proxyModule === null ? '' : `, ${proxyModule} ${versionOf(proxyModule)}`;
  return `${name} ${versionOf(module)}${own}`;
}

function versionOf(module: string): string {
  const file = path.join(ROOT, 'node_modules', module, 'package.json');
  const { version }: { version: string } = JSON.parse(readFileSync(file, 'utf8'));
  return version;
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
    cwd: folder ?? path.join(ROOT, 'node_modules'),
  }));
}
