/** lastbyte as a process of its own, and what the kernel and V8 say of it. */

import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BIN, RunningLastbyte } from '../../test/harness/lastbyte.ts';
import { descriptorsOf, residentBytes } from '../../test/harness/procfs.ts';

const PROBE = new URL('probe.js', import.meta.url).href;

/** What a process holds, after all that is garbage has been collected. */
export interface Holdings {
  readonly residentBytes: number;
  readonly heapUsedBytes: number;
  /** How many descriptors of each kind: `socket`, `pipe`, `anon_inode`, `file` … */
  readonly descriptors: ReadonlyMap<string, number>;
  /** What keeps its event loop going, from Node's own list. */
  readonly resources: ReadonlyMap<string, number>;
}

export class MeasuredProcess extends RunningLastbyte {
  readonly #spoolDir: string;

  /** @param args after the target; the port and the spool folder are chosen here */
  constructor(targetPort: number, args: readonly string[]) {
    const spoolDir = mkdtempSync(join(tmpdir(), 'lastbyte-soak-'));
    const own = [BIN, String(targetPort), '--port', '0', '--no-admin', '--spool-dir', spoolDir];
    super({
      file: process.execPath,
      args: ['--expose-gc', '--import', PROBE, ...own, ...args],
      env: { PATH: process.env['PATH'] },
      channel: true,
      keptBytes: 4_000,
      graceMs: 0,
    });
    this.#spoolDir = spoolDir;
  }

  /** Without a collection, and without disturbing it. */
  residentBytes(): number {
    return residentBytes(this.pid);
  }

  descriptors(): ReadonlyMap<string, number> {
    return counted(descriptorsOf(this.pid).map(({ target }) => kindOf(target)));
  }

  async holdings(): Promise<Holdings> {
    const replied = once(this.child, 'message');
    this.child.send('measure');
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
    this.signal('SIGTERM');
    return (await this.finished).code;
  }

  /** Names in the spool folder: there must be none. */
  leftInSpool(): readonly string[] {
    return readdirSync(this.#spoolDir);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    rmSync(this.#spoolDir, { recursive: true, force: true });
  }
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
