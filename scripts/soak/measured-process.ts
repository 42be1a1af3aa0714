/** lastbyte as a process of its own, and what the kernel and V8 say of it. */

import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../dist/bin.js', import.meta.url));
const PROBE = new URL('probe.js', import.meta.url).href;
const KEPT_OUTPUT_CHARS = 4_000;

/** What a process holds, after all that is garbage has been collected. */
export interface Holdings {
  readonly residentBytes: number;
  readonly heapUsedBytes: number;
  /** How many descriptors of each kind: `socket`, `pipe`, `anon_inode`, `file` … */
  readonly descriptors: ReadonlyMap<string, number>;
  /** What keeps its event loop going, from Node's own list. */
  readonly resources: ReadonlyMap<string, number>;
}

export class MeasuredProcess implements AsyncDisposable {
  readonly spoolDir: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | null>;
  #output = '';

  /** @param args after the target; the port and the spool folder are chosen here */
  constructor(targetPort: number, args: readonly string[]) {
    this.spoolDir = mkdtempSync(join(tmpdir(), 'lastbyte-soak-'));
    const own = ['--port', '0', '--no-admin', '--spool-dir', this.spoolDir];
    this.#child = fork(BIN, [String(targetPort), ...own, ...args], {
      execArgv: ['--expose-gc', '--import', PROBE],
      env: { PATH: process.env['PATH'] },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const keep = (part: Buffer): void => {
      this.#output = (this.#output + part.toString()).slice(-KEPT_OUTPUT_CHARS);
    };
    this.#child.stdout?.on('data', keep);
    this.#child.stderr?.on('data', keep);
    this.#exited = once(this.#child, 'exit').then(() => this.#child.exitCode);
  }

  get output(): string {
    return this.#output;
  }

  /** Where it listens, once it does. @throws when it ends first */
  async port(): Promise<number> {
    for (;;) {
      const port = /http:\/\/127\.0\.0\.1:(\d+) ->/.exec(this.#output)?.[1];
      if (port !== undefined) return Number(port);
      if (this.#child.stdout === null || this.#child.exitCode !== null) throw new Error(this.#output);
      await Promise.race([once(this.#child.stdout, 'data'), this.#exited]);
    }
  }

  /** Without a collection, and without disturbing it. */
  residentBytes(): number {
    return statusBytes(this.#pid, 'VmRSS');
  }

  descriptors(): ReadonlyMap<string, number> {
    return counted(descriptorsOf(this.#pid).map(kindOf));
  }

  async holdings(): Promise<Holdings> {
    const replied = once(this.#child, 'message');
    this.#child.send('measure');
    const [reply]: unknown[] = await replied;
    return {
      heapUsedBytes: numberIn(reply, 'heapUsedBytes'),
      resources: counted(textsIn(reply, 'resources')),
      residentBytes: this.residentBytes(),
      descriptors: this.descriptors(),
    };
  }

  /** SIGTERM; resolves with the exit code when it has ended. */
  async stop(): Promise<number | null> {
    this.#child.kill('SIGTERM');
    return await this.#exited;
  }

  /** Names in the spool folder: there must be none. */
  leftInSpool(): readonly string[] {
    return readdirSync(this.spoolDir);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL');
    await this.#exited;
    rmSync(this.spoolDir, { recursive: true, force: true });
  }

  get #pid(): number {
    return this.#child.pid ?? 0;
  }
}

/** What the open descriptors of a process lead to. */
function descriptorsOf(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).map((descriptor) => {
    try {
      return readlinkSync(`${folder}/${descriptor}`);
    } catch {
      return 'closed meanwhile';
    }
  });
}

/** A line of /proc/<pid>/status, such as VmRSS or VmHWM. */
export function statusBytes(pid: number, line: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${line}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? Number.NaN) * 1024;
}

function kindOf(target: string): string {
  return target.startsWith('/') ? 'file' : target.replace(/:.*/, '');
}

function counted(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

function numberIn(reply: unknown, name: string): number {
  const value: unknown = typeof reply === 'object' && reply !== null ? Reflect.get(reply, name) : undefined;
  if (typeof value !== 'number') throw new Error(`no ${name} in the probe's reply`);
  return value;
}

function textsIn(reply: unknown, name: string): string[] {
  const value: unknown = typeof reply === 'object' && reply !== null ? Reflect.get(reply, name) : undefined;
  if (!Array.isArray(value)) throw new Error(`no ${name} in the probe's reply`);
  return value.map(String);
}
