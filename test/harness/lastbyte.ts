/** The built command as a process of its own: what it is given, where it listens, how it ends. */

import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { RunningCommand, type Command, type Finished } from './process.ts';
import { descriptorsOf } from './procfs.ts';

export const BIN = fileURLToPath(new URL('../../dist/bin.js', import.meta.url));

/** What is not said here is as little as can be: of the environment, PATH alone. */
interface Surroundings extends Omit<Command, 'file' | 'args'> {
  /** The Node that runs it, and its options; the one that runs this if none is named. */
  readonly node?: readonly string[];
}

/** Runs the command to its end. */
export async function lastbyte(args: readonly string[], surroundings: Surroundings = {}): Promise<Finished> {
  await using command = startLastbyte(args, surroundings);
  return await command.finished;
}

/** Starts the command; it is killed at the latest when it is disposed of. */
export function startLastbyte(args: readonly string[], surroundings: Surroundings = {}): RunningLastbyte {
  const { node: [file = process.execPath, ...options] = [], ...more } = surroundings;
  const env = { PATH: process.env['PATH'], ...more.env };
  return new RunningLastbyte({ graceMs: 0, ...more, file, args: [...options, BIN, ...args], env });
}

export class RunningLastbyte extends RunningCommand {
  /** Where it listens, once it does. */
  async url(): Promise<string> {
    const [, url = ''] = await this.says(/lastbyte [\d.]+: (\S+) ->/);
    return url;
  }

  async port(): Promise<number> {
    return Number(new URL(await this.url()).port);
  }
}

/** lastbyte with its spool files in `folder`, which does not wait for an upstream. */
export function startIn(
  folder: string,
  upstreamPort: number,
  more: readonly string[] = [],
  node: readonly string[] = [],
): RunningLastbyte {
  const own = ['--port', '0', '--no-admin', '--spool-dir', folder, '--wait-for-upstream', '0'];
  return startLastbyte([String(upstreamPort), ...own, ...more], { node });
}

/** Descriptors of spool files. */
export function spoolFilesOf(pid: number, folder: string): string[] {
  return descriptorsOf(pid).flatMap(({ path, target }) => (target.startsWith(folder) ? [path] : []));
}

/** Connections that carried a request: the look at the target when lastbyte starts carries none. */
export function asked(sockets: readonly Socket[]): Socket[] {
  return sockets.filter(({ bytesRead }) => bytesRead > 0);
}

export interface LastbyteFront extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
}

/** lastbyte in front of a server, without its admin listener, once it listens; on any free port if none is named. */
export async function frontWithLastbyte(targetPort: number, port = 0): Promise<LastbyteFront> {
  const args = [`http://127.0.0.1:${targetPort}`, '--port', String(port), '--no-admin'];
  const command = startLastbyte(args, { graceMs: 5_000, keptBytes: 4_000 });
  try {
    const url = await command.url();
    return {
      url,
      port: Number(new URL(url).port),
      [Symbol.asyncDispose]: () => command[Symbol.asyncDispose](),
    };
  } catch (error) {
    await command[Symbol.asyncDispose]();
    throw error;
  }
}
