/** The command after `--`: it starts without a shell, has the terminal, and ends with everything that it has started. */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

/** Windows has no process groups: only the command itself can be ended there. */
const HAS_GROUPS = process.platform !== 'win32';

/** The exit codes of a shell for a command that does not exist, or is not executable (POSIX, Shell Command Language 2.8.2). */
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;
const KILLED_BASE = 128;

/** Processes that the command has left behind get SIGTERM, and SIGKILL after this time. */
const LEFTOVERS_MS = 1000;
const PROBE_MS = 20;

/**
 * Ends the group when the pipe to this process closes, however this process ended. A shell needs only 1 MB of memory; `$0` is
 * the group.
 */
const GUARD = 'read -r _; kill -s TERM -- "-$0"; sleep 2; kill -s KILL -- "-$0"';

export type StartedChild =
  | { readonly kind: 'running'; readonly child: Child }
  | { readonly kind: 'failed'; readonly code: number; readonly sentence: string };

export async function startChild(
  [file = '', ...args]: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<StartedChild> {
  try {
    // In a session of its own, it gets signals only from us: each one once, together with all that it has started. It can still
    // read the terminal, which stops only processes of the terminal's own session (tty_ioctl(4), SIGTTIN).
    const started = spawn(file, args, { env, stdio: 'inherit', detached: HAS_GROUPS });
    // It throws some system errors, and emits others.
    await once(started, 'spawn');
    return { kind: 'running', child: new Child(started) };
  } catch (error) {
    return failure(file, error);
  }
}

function failure(file: string, error: unknown): StartedChild {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  // The system also reports ENOENT if the program named in a script's first line is missing.
  const isThere = file.includes('/') && existsSync(file);
  if (file === '' || (code === 'ENOENT' && !isThere)) {
    const remedy = 'see that it is installed, and spelt as in a terminal';
    return { kind: 'failed', code: NOT_FOUND, sentence: `There is no command ${file || '""'}: ${remedy}.` };
  }
  const why = WHY.get(code) ?? code;
  return { kind: 'failed', code: NOT_EXECUTABLE, sentence: `The command ${file} cannot be run: ${why}.` };
}

const WHY: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'it is a folder, or not executable'],
  ['ENOENT', 'the program that its first line (#!) names is not there'],
  ['ENOTDIR', 'a part of its path is no folder'],
]);

export class Child {
  /** The command's exit code; 128 and the signal's number if one ended it. */
  readonly exited: Promise<number>;
  readonly #process: ChildProcess;
  readonly #guard: ChildProcess | null;

  constructor(started: ChildProcess) {
    this.#process = started;
    this.exited = once(started, 'exit').then(([code, signal]: (number | NodeJS.Signals | null)[]) =>
      typeof code === 'number' ? code : KILLED_BASE + signalNumber(signal),
    );
    this.#guard = HAS_GROUPS ? guardOf(started.pid) : null;
    if (HAS_GROUPS) this.#passJobControl();
  }

  /** Sends a signal to the command and all that it has started. */
  pass(name: NodeJS.Signals): void {
    if (HAS_GROUPS) this.#signalGroup(name);
    else this.#process.kill(name);
  }

  /** Resolves once the command and all that it has started have ended; after the limit, with SIGKILL. */
  async endWithin(limitMs: number): Promise<void> {
    const limit = setTimeout(() => this.pass('SIGKILL'), limitMs);
    await this.exited;
    clearTimeout(limit);
    await this.#endLeftovers();
    this.#guard?.kill('SIGKILL');
  }

  async #endLeftovers(): Promise<void> {
    if (!HAS_GROUPS || !this.#signalGroup('SIGTERM')) return;
    const deadlineMs = performance.now() + LEFTOVERS_MS;
    while (performance.now() < deadlineMs && this.#signalGroup(0)) await delay(PROBE_MS);
    this.#signalGroup('SIGKILL');
  }

  /** False: no process is left in the group. */
  #signalGroup(name: NodeJS.Signals | 0): boolean {
    try {
      return process.kill(-(this.#process.pid ?? Number.NaN), name);
    } catch {
      return false;
    }
  }

  /** In a session of its own, it does not get these signals from the terminal. */
  #passJobControl(): void {
    process.on('SIGWINCH', () => this.pass('SIGWINCH'));
    process.on('SIGCONT', () => this.pass('SIGCONT'));
    process.on('SIGTSTP', () => {
      this.pass('SIGTSTP');
      process.kill(process.pid, 'SIGSTOP');
    });
  }
}

/** Null: there is no shell, so a SIGKILL to this process leaves the command running. */
function guardOf(group: number | undefined): ChildProcess | null {
  const guard = spawn('/bin/sh', ['-c', GUARD, String(group)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.on('error', () => undefined);
  guard.stdin?.on('error', () => undefined);
  guard.unref();
  return guard.pid === undefined ? null : guard;
}

function signalNumber(signal: string | number | null | undefined): number {
  return Object.entries(constants.signals).find(([name]) => name === signal)?.[1] ?? 0;
}
