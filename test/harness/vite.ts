/** Vite's own servers, of the versions that are tested, with one plugin, on free ports, and what they log. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { VitePlugin } from '../../src/vite.ts';

/** What is used of Vite; of a version that is installed under another name there are no types. */
interface Vite {
  createServer(this: void, config: object): Promise<ViteDev>;
  preview(this: void, config: object): Promise<VitePreview>;
}

interface VitePreview {
  readonly httpServer: Server;
  close(): Promise<void>;
}

interface ViteDev extends VitePreview {
  listen(port: number): Promise<unknown>;
  restart(): Promise<void>;
}

/** The newest major, and the one before. */
export const VITES: readonly string[] = ['vite', 'vite-7'];

/** Vite with this plugin, in a folder of its own. */
export class TestVite implements AsyncDisposable {
  readonly logged: string[] = [];
  readonly folder: string;
  readonly #server: VitePreview;

  private constructor(folder: string, logged: string[], server: VitePreview) {
    this.folder = folder;
    this.logged = logged;
    this.#server = server;
  }

  /** @param more Vite's configuration besides */
  static async dev(
    name: string,
    plugin: VitePlugin,
    more: object = {},
  ): Promise<TestVite & { restart(): Promise<void> }> {
    const { createServer } = await load(name);
    const folder = siteFolder();
    const logged: string[] = [];
    const server = await createServer({
      ...configuration(folder, logged, plugin),
      server: { host: '127.0.0.1', port: 0, ...more },
    });
    await server.listen(0);
    return Object.assign(new TestVite(folder, logged, server), { restart: () => server.restart() });
  }

  static async preview(name: string, plugin: VitePlugin): Promise<TestVite> {
    const { preview } = await load(name);
    const folder = siteFolder();
    const logged: string[] = [];
    const server = await preview({
      ...configuration(folder, logged, plugin),
      preview: { host: '127.0.0.1', port: 0 },
    });
    return new TestVite(folder, logged, server);
  }

  get port(): number {
    const address = this.#server.httpServer.address();
    return address === null || typeof address === 'string' ? 0 : address.port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async close(): Promise<void> {
    await this.#server.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    rmSync(this.folder, { recursive: true });
  }
}

async function load(name: string): Promise<Vite> {
  const loaded: Vite = await import(name);
  return loaded;
}

/** With a page of Vite's own, and one that is built. */
function siteFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'lastbyte-vite-'));
  mkdirSync(path.join(folder, 'dist'));
  for (const file of ['index.html', path.join('dist', 'index.html')])
    writeFileSync(path.join(folder, file), '<!doctype html><title>site</title>');
  return folder;
}

function configuration(folder: string, logged: string[], plugin: VitePlugin): object {
  const log = (message: string): void => void logged.push(message);
  return {
    configFile: false,
    root: folder,
    cacheDir: path.join(folder, '.vite'),
    plugins: [plugin],
    customLogger: {
      info: log,
      warn: log,
      warnOnce: log,
      error: log,
      clearScreen: () => undefined,
      hasErrorLogged: () => false,
      hasWarned: false,
    },
  };
}
