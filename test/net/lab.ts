/** Owns network namespaces, the wires between them and the processes in them, and their end in every case. */

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { environment } from '../harness/process.ts';

const WIRE = path.join(import.meta.dirname, 'wire.py');
/** The system's own: it has Django and Flask where Debian's packages are installed. */
export const PYTHON = '/usr/bin/python3';

/** What a wire does to packets, in each direction. */
export interface WireShape {
  readonly delayMs: number;
  /** Each packet for itself is up to so much earlier or later: what was sent in order comes out of order. */
  readonly jitterMs: number;
  /** The part of packets that is lost, 0 to 1. */
  readonly loss: number;
  /** 0: no limit. */
  readonly mbit: number;
  /** When one direction has carried so much, every packet is dropped. 0: never. */
  readonly cutAfterBytes: number;
}

export const PLAIN: WireShape = { delayMs: 0, jitterMs: 0, loss: 0, mbit: 0, cutAfterBytes: 0 };

/** Why nothing of this can run here, as a sentence; null when it can. */
export function whyNoLab(): string | null {
  const needs = (what: string): string => `Tests in network namespaces need ${what}.`;
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return needs('Linux, and root');
  if (spawnSync('ip', ['-V']).error !== undefined) return needs('ip (Debian: apt-get install iproute2)');
  if (!existsSync('/dev/net/tun')) return needs('/dev/net/tun (modprobe tun)');
  if (!existsSync(PYTHON)) return needs(`${PYTHON} (Debian: apt-get install python3)`);
  const probe = `lastbyte-${process.pid}-probe`;
  const made = spawnSync('ip', ['netns', 'add', probe], { encoding: 'utf8' });
  spawnSync('ip', ['netns', 'del', probe]);
  return made.status === 0 ? null : needs(`a root who may make them (${made.stderr.trim()})`);
}

/** A process in a namespace, line by line. */
export interface Inhabitant {
  readonly child: ChildProcess;
  readonly lines: Interface;
}

let labs = 0;

export class Lab implements AsyncDisposable {
  readonly #prefix: string;
  readonly #keeper: ChildProcess;
  #wires = 0;

  private constructor(prefix: string, keeper: ChildProcess) {
    this.#prefix = prefix;
    this.#keeper = keeper;
  }

  static async start(names: readonly string[]): Promise<Lab> {
    labs += 1;
    const prefix = `lastbyte-${process.pid}-${labs}-`;
    const namespaces = names.map((name) => `${prefix}${name}`);
    const lab = new Lab(prefix, startKeeper(namespaces));
    for (const namespace of namespaces) {
      await ip('netns', 'add', namespace);
      await ip('-n', namespace, 'link', 'set', 'lo', 'up');
    }
    return lab;
  }

  /** Joins two namespaces. Of the wire's addresses, those that neither end has are black holes. */
  async wire(from: string, to: string, shape: WireShape): Promise<Wire> {
    this.#wires += 1;
    const net = `10.77.${this.#wires}`;
    const ends = [`${this.#prefix}${from}/${net}.1`, `${this.#prefix}${to}/${net}.2`];
    const args = [WIRE, ...ends, `wire${this.#wires}`, JSON.stringify({ ...shape, seed: this.#wires })];
    const child = spawn(PYTHON, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout });
    await once(lines, 'line', { signal: AbortSignal.timeout(20_000) });
    return { from: `${net}.1`, to: `${net}.2`, nowhere: `${net}.99` };
  }

  /** Runs a program in a namespace. What it says on stderr is dropped: servers write their own access log there. */
  run(where: string, file: string, args: readonly string[], cwd?: string): Inhabitant {
    const env = environment();
    const command = ['netns', 'exec', `${this.#prefix}${where}`, file, ...args];
    const child = spawn('ip', command, { cwd, env, stdio: ['ignore', 'pipe', 'ignore'] });
    return { child, lines: createInterface({ input: child.stdout }) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = once(this.#keeper, 'exit');
    this.#keeper.stdin?.end();
    await gone;
  }
}

export interface Wire {
  /** The address of each end. */
  readonly from: string;
  readonly to: string;
  /** An address that is routed into the wire, and that nobody has. */
  readonly nowhere: string;
}

/**
 * Waits for the end of its stdin, which comes with the end of this process too, however it ends; then it ends all that
 * lives in the namespaces and removes them. In a session of its own: Ctrl-C is not for it.
 */
function startKeeper(namespaces: readonly string[]): ChildProcess {
  const script = `cat >/dev/null
for namespace in "$@"; do
  ip netns pids "$namespace" | xargs -r kill -9
  ip netns del "$namespace"
done`;
  const stdio: ['pipe', 'ignore', 'ignore'] = ['pipe', 'ignore', 'ignore'];
  return spawn('sh', ['-c', script, 'keeper', ...namespaces], { detached: true, stdio });
}

async function ip(...args: string[]): Promise<void> {
  const child = spawn('ip', args, { stdio: ['ignore', 'ignore', 'inherit'] });
  await once(child, 'exit');
  if (child.exitCode !== 0) throw new Error(`ip ${args.join(' ')} ended with ${child.exitCode}`);
}
