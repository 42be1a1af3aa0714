/** A folder in which documented commands run as they are written, but on ports, sockets and programs of this test. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from '../harness/ports.ts';
import { BIN, RunningLastbyte } from '../harness/lastbyte.ts';
import { environment } from '../harness/process.ts';
import type { Upstream } from '../harness/upstream.ts';
import { pythonWith } from '../real/python.ts';
import { fileIn } from './markdown.ts';
import { startUnread } from './unread.ts';

/** The ports of the documents: the server, lastbyte, its admin listener, and another pair. */
const PORTS = ['8000', '8080', '8081', '9080', '9081'] as const;

export class Shell implements AsyncDisposable {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'lastbyte-docs-'));
  readonly #ports: ReadonlyMap<string, number>;
  readonly #upstream: Upstream;
  readonly #socketServer = createServer((_request, response) => response.end('here'));
  readonly #started: RunningLastbyte[] = [];

  private constructor(upstream: Upstream, ports: ReadonlyMap<string, number>) {
    this.#upstream = upstream;
    this.#ports = ports;
    mkdirSync(path.join(this.folder, 'bin'));
    // `npx lastbyte` is the package when it is published; here it is the build.
    this.#program('npx', `[ "$1" = lastbyte ] || exit 99\nshift\nexec "${process.execPath}" "${BIN}" "$@"`);
    this.write('lastbyte.yaml', fileIn('docs/deployment.md', 'lastbyte.yaml'));
    this.write('app.py', fileIn('docs/recipes.md', 'app.py'));
    // More than a server has read when it has read the head: it would have nothing unread otherwise.
    this.write('body.json', JSON.stringify({ text: 'x'.repeat(1_000_000) }));
  }

  /** The documents' server has the fault; or its port is free, for a server that a command starts. */
  static async open(server: 'faulty' | 'none' = 'faulty'): Promise<Shell> {
    const upstream = await startUnread();
    const serverPort = server === 'faulty' ? upstream.port : await freePort();
    const ports = new Map<string, number>([['8000', serverPort]]);
    for (const port of PORTS.slice(1)) ports.set(port, await freePort());
    return new Shell(upstream, ports);
  }

  port(documented: (typeof PORTS)[number]): number {
    return this.#ports.get(documented) ?? 0;
  }

  write(name: string, text: string): string {
    const file = path.join(this.folder, name);
    writeFileSync(file, this.#here(text));
    return file;
  }

  usePython(module: string): void {
    this.#program('python3', `exec "${pythonWith(module) ?? 'false'}" "$@"`);
  }

  start(command: string, cwd = this.folder): RunningLastbyte {
    const env = environment({
      PATH: `${path.join(this.folder, 'bin')}:${process.env['PATH'] ?? ''}`,
      LASTBYTE_ADMIN_PORT: String(this.port('8081')),
      // A variable would win over the file.
      ...(command.includes('--config') ? {} : { LASTBYTE_PORT: String(this.port('8080')) }),
    });
    // In a group of its own, so that what it starts ends with it: npm's child, the autoreloader's.
    const args = ['-c', this.#here(command)];
    const running = new RunningLastbyte({ file: 'bash', args, cwd, env, group: true, graceMs: 0 });
    this.#started.push(running);
    return running;
  }

  /** What `unix:/tmp/app.sock` leads to. */
  async serveSocket(): Promise<void> {
    this.#socketServer.listen(path.join(this.folder, 'app.sock'));
    await once(this.#socketServer, 'listening');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#started.map((running) => running[Symbol.asyncDispose]()));
    this.#socketServer.close();
    this.#socketServer.closeAllConnections();
    await this.#upstream[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true });
  }

  #program(name: string, body: string): void {
    writeFileSync(path.join(this.folder, 'bin', name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  }

  #here(text: string): string {
    return text
      .replaceAll(/\b(?:8000|8080|8081|9080|9081)\b/g, (port) => String(this.#ports.get(port) ?? port))
      .replaceAll(/\/tmp\/(?=\w+\.sock)/g, `${this.folder}/`);
  }
}
