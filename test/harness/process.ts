/** Owns one child process: starts it, keeps what it says, waits until it listens, and ends it by its pid. */

import { spawn, spawnSync, type ChildProcess, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from './ports.ts';

/** Slow machines import Django in seconds; a server that takes longer than this is broken. */
const LISTEN_DEADLINE_MS = 30_000;
const PROBE_INTERVAL_MS = 20;
/** A server that ignores SIGTERM for longer is killed. */
const TERM_GRACE_MS = 5_000;
/** Between the probe of a port and the server's taking it, another process may be quicker. */
const PORT_TRIES = 3;
/** A client that hangs is a failure that must show as one, and not as the test's own time limit. */
const CLIENT_LIMIT_MS = 60_000;

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd?: string | undefined;
  /** All that it gets (default: `environment()`). */
  readonly env?: NodeJS.ProcessEnv;
  /** Whether it is given something to read (default: `ignore`, nothing). */
  readonly stdin?: 'pipe' | 'ignore';
  /** Its output goes into this file and is not kept: a pipe to this process would cost what is measured. */
  readonly logPath?: string;
  /** How much of the end of stdout, and of stderr, is kept (default: all). */
  readonly keptBytes?: number;
  /** How long it has to end after SIGTERM before it is killed (default 5 s); 0: it is killed at once. */
  readonly graceMs?: number;
  /** In a group of its own, so that signals reach what it has started, too. */
  readonly group?: boolean;
  /** With a channel for messages. */
  readonly channel?: boolean;
  /**
   * What it says on stdout once it listens (default: its port is asked). Vite listens on its port for an instant, on every
   * address, to see whether it is free, before it takes it.
   */
  readonly says?: RegExp;
}

export interface Finished {
  /** null: a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class RunningCommand implements AsyncDisposable {
  readonly child: ChildProcess;
  /** Resolves when it has ended and its output is complete. */
  readonly finished: Promise<Finished>;
  readonly #command: Command;
  readonly #stdout: KeptOutput;
  readonly #stderr: KeptOutput;

  constructor(command: Command) {
    this.#command = command;
    this.#stdout = new KeptOutput(command.keptBytes);
    this.#stderr = new KeptOutput(command.keptBytes);
    this.child = spawned(command);
    this.#stdout.keep(this.child.stdout);
    this.#stderr.keep(this.child.stderr);
    // It may end without having read its input: that is its affair.
    this.child.stdin?.on('error', () => undefined);
    this.child.on('error', (error) => this.#stderr.add(Buffer.from(error.message)));
    this.finished = new Promise((resolve) => {
      this.child.once('close', (code: number | null) =>
        resolve({ code, stdout: this.stdout, stderr: this.stderr }),
      );
    });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get stdout(): string {
    return this.#stdout.bytes.toString();
  }

  get stdoutBytes(): Buffer {
    return this.#stdout.bytes;
  }

  get stderr(): string {
    return this.#stderr.bytes.toString();
  }

  /** All that it said and that is kept. */
  get output(): string {
    const { logPath } = this.#command;
    return logPath === undefined ? this.stdout + this.stderr : readFileSync(logPath, 'utf8');
  }

  /** Resolves with the match when stdout has it. @throws when the command ends first */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    let ended = this.child.stdout === null;
    for (;;) {
      const match = pattern.exec(this.stdout);
      if (match !== null) return match;
      if (ended) throw new Error(`ended, and never said ${String(pattern)}: ${this.output}`);
      const more = this.child.stdout === null ? [] : [once(this.child.stdout, 'data').then(() => false)];
      ended = await Promise.race([...more, this.finished.then(() => true)]);
    }
  }

  /** Resolves when it accepts connections on this port. @throws what it said, when it ends instead, or takes too long */
  async listening(port: number): Promise<void> {
    if (this.#command.says !== undefined) {
      await this.says(this.#command.says);
      return;
    }
    const deadlineMs = performance.now() + LISTEN_DEADLINE_MS;
    while (this.#runs && performance.now() < deadlineMs) {
      // Asked again after the connection: on a port in use, it is another server that accepts.
      if ((await accepts(port)) && this.#runs) return;
      await delay(PROBE_INTERVAL_MS);
    }
    const { file, args } = this.#command;
    // What it said last may still be on its way.
    if (!this.#runs) await Promise.race([this.finished, delay(1_000)]);
    throw new Error(`${[file, ...args].join(' ')} does not listen on port ${port}:\n${this.output}`);
  }

  signal(name: NodeJS.Signals): void {
    if (this.#command.group !== true || this.child.pid === undefined) {
      this.child.kill(name);
      return;
    }
    try {
      process.kill(-this.child.pid, name);
    } catch {
      // The whole group has ended.
    }
  }

  /** Resolves when the process is gone, and nobody holds a pipe to it. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { graceMs = TERM_GRACE_MS, group = false } = this.#command;
    if (this.#runs) {
      const gone = once(this.child, 'exit');
      this.signal(graceMs === 0 ? 'SIGKILL' : 'SIGTERM');
      const killer = setTimeout(() => this.signal('SIGKILL'), graceMs);
      await gone;
      clearTimeout(killer);
    }
    if (group) this.signal('SIGKILL');
    // What it has started, and left behind, may hold the other ends.
    for (const stream of [this.child.stdin, this.child.stdout, this.child.stderr]) stream?.destroy();
    await this.finished;
  }

  get #runs(): boolean {
    return this.child.pid !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }
}

function spawned(command: Command): ChildProcess {
  const { file, args, cwd, env = environment(), stdin = 'ignore', logPath } = command;
  const log = logPath === undefined ? 'pipe' : openSync(logPath, 'a');
  const stdio: StdioOptions = command.channel === true ? [stdin, log, log, 'ipc'] : [stdin, log, log];
  const child = spawn(file, args, { cwd, env, detached: command.group === true, stdio });
  if (typeof log === 'number') closeSync(log);
  return child;
}

/** This process's own variables and these, but no settings of lastbyte: those of whoever runs this must change nothing. */
export function environment(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('LASTBYTE_'));
  return { ...Object.fromEntries(kept), PYTHONDONTWRITEBYTECODE: '1', PYTHONUNBUFFERED: '1', ...more };
}

/** The end of what a stream said. */
class KeptOutput {
  #parts: Buffer[] = [];
  readonly #mostBytes: number;

  constructor(mostBytes = Infinity) {
    this.#mostBytes = mostBytes;
  }

  keep(stream: Readable | null): void {
    stream?.on('data', (part: Buffer) => this.add(part));
  }

  add(part: Buffer): void {
    this.#parts.push(part);
    if (this.#mostBytes !== Infinity) this.#parts = [this.bytes.subarray(-this.#mostBytes)];
  }

  get bytes(): Buffer {
    if (this.#parts.length > 1) this.#parts = [Buffer.concat(this.#parts)];
    return this.#parts[0] ?? Buffer.alloc(0);
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

/** The version that a command prints of itself; null: it is not installed. */
export function versionOf(file: string, ...args: readonly string[]): string | null {
  const { error, stdout, stderr } = spawnSync(file, args, { encoding: 'utf8' });
  if (error !== undefined) return null;
  return /\d+\.\d+[\d.]*/.exec(`${stdout}\n${stderr}`)?.[0] ?? 'unknown';
}

export interface ClientRun {
  /** null: it was ended by a signal, such as ours when it hung. */
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs a command-line client to its end, without a terminal; `input` is written to its stdin. */
export async function runClient(
  file: string,
  args: readonly string[],
  input: Buffer = Buffer.alloc(0),
): Promise<ClientRun> {
  await using client = new RunningCommand({ file, args, stdin: 'pipe' });
  const limit = setTimeout(() => client.signal('SIGKILL'), CLIENT_LIMIT_MS);
  client.child.stdin?.end(input);
  const { code, stderr } = await client.finished;
  clearTimeout(limit);
  return { code, stdout: client.stdoutBytes, stderr };
}

/** A process that serves HTTP on a port of 127.0.0.1. */
export class ServerProcess extends RunningCommand {
  readonly port: number;
  readonly url: string;

  private constructor(command: Command, port: number) {
    super({ keptBytes: 4_000, ...command });
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
  }

  /** Resolves when it listens on this very port. @throws what it said, when it does not */
  static async startOn(port: number, command: Command): Promise<ServerProcess> {
    const server = new ServerProcess(command, port);
    try {
      await server.listening(port);
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The same on any free port. */
  static async start(commandFor: (port: number) => Command): Promise<ServerProcess> {
    for (let attempt = 1; ; attempt += 1) {
      const port = await freePort();
      try {
        return await ServerProcess.startOn(port, commandFor(port));
      } catch (error) {
        if (attempt === PORT_TRIES || !/in use/i.test(String(error))) throw error;
      }
    }
  }
}
