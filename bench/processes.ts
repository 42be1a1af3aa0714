/** Processes that are measured: started, waited for, counted with their children, and ended by their pid. */

import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const CLOCK_TICKS_PER_SECOND = 100;
const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 5000;

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Where its output goes. */
  readonly logPath: string;
}

export class MeasuredChild implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #logPath: string;

  constructor({ file, args, env = {}, logPath }: Command) {
    const log = openSync(logPath, 'a');
    this.#logPath = logPath;
    this.#child = spawn(file, args, { stdio: ['ignore', log, log], env: { ...process.env, ...env } });
    this.#child.on('error', () => undefined);
  }

  /** Of its first process. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** @throws what it said, when it ends instead of listening */
  async listening(port: number): Promise<void> {
    const until = performance.now() + START_TIMEOUT_MS;
    while (!(await accepts(port))) {
      if (this.#child.exitCode !== null || this.#child.pid === undefined || performance.now() > until)
        throw new Error(`${this.#child.spawnfile} does not listen: ${readFileSync(this.#logPath, 'utf8')}`);
      await sleep(20);
    }
  }

  /** CPU time of it and its children so far, in seconds, user and system. */
  cpuSeconds(): number {
    return this.#tree().reduce((sum, pid) => sum + cpuTicks(pid), 0) / CLOCK_TICKS_PER_SECOND;
  }

  /** Peak resident memory of it and its children, in bytes; what they share is counted for each. */
  peakBytes(): number {
    return this.#tree().reduce((sum, pid) => sum + statusKib(pid, 'VmHWM') * 1024, 0);
  }

  /** Resident memory at the moment, in bytes. */
  residentBytes(): number {
    return this.#tree().reduce((sum, pid) => sum + statusKib(pid, 'VmRSS') * 1024, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await exit;
    clearTimeout(timer);
  }

  #tree(): number[] {
    return withChildren(this.pid);
  }
}

function withChildren(pid: number): number[] {
  const children = read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
  return [pid, ...children.flatMap(withChildren)];
}

function cpuTicks(pid: number): number {
  // The name of the program may hold anything, a closing parenthesis too.
  const fields = read(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ');
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
}

function statusKib(pid: number, name: string): number {
  return Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(read(`/proc/${pid}/status`))?.[1] ?? 0);
}

/** Empty when the process is gone. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** The first line that a command prints about its version; null: it is not installed. */
export function versionOf(file: string, ...args: string[]): string | null {
  const { error, stdout, stderr } = spawnSync(file, args, { encoding: 'utf8' });
  if (error !== undefined) return null;
  return /\d+\.\d+[\d.]*/.exec(`${stdout}\n${stderr}`)?.[0] ?? 'unknown';
}
