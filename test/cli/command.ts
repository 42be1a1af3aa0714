/** The built command as a child process: what it is given, what it says, how it ends. */

import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../dist/bin.js', import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Surroundings {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** The Node that runs it, and its options; the one that runs the tests if none is named. */
  readonly node?: readonly string[];
}

/** Runs the command to its end. */
export async function lastbyte(args: readonly string[], surroundings: Surroundings = {}): Promise<Finished> {
  await using command = startLastbyte(args, surroundings);
  return await command.finished;
}

/** Starts the command; it is killed at the latest when it is disposed of. */
export function startLastbyte(args: readonly string[], surroundings: Surroundings = {}): RunningCommand {
  const { PATH } = process.env;
  const env = { PATH, ...surroundings.env };
  const [node = process.execPath, ...options] = surroundings.node ?? [];
  return new RunningCommand(spawn(node, [...options, BIN, ...args], { env, cwd: surroundings.cwd }));
}

export class RunningCommand implements AsyncDisposable {
  readonly child: ChildProcessWithoutNullStreams;
  readonly finished: Promise<Finished>;
  stdout = '';
  stderr = '';

  constructor(child: ChildProcessWithoutNullStreams) {
    this.child = child;
    child.stdout.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.finished = once(child, 'close').then(() => ({
      code: child.exitCode,
      stdout: this.stdout,
      stderr: this.stderr,
    }));
  }

  /** Resolves with the match when stdout has it; rejects when the command ends first. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    let ended = false;
    for (;;) {
      const match = pattern.exec(this.stdout);
      if (match !== null) return match;
      if (ended) throw new Error(`ended, and never said ${String(pattern)}: ${this.stdout}${this.stderr}`);
      const more = once(this.child.stdout, 'data').then(() => false);
      ended = await Promise.race([more, this.finished.then(() => true)]);
    }
  }

  /** Where it listens, once it does. */
  async url(): Promise<string> {
    const [, url = ''] = await this.says(/lastbyte [\d.]+: (\S+) ->/);
    return url;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGKILL');
    await this.finished;
  }
}
