/** Owns one server run as a child process: a free port for it, waiting until it accepts, its end by pid. */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';

/** Slow machines import Django in seconds; a server that takes longer than this is broken. */
const ACCEPT_DEADLINE_MS = 30_000;
const PROBE_INTERVAL_MS = 25;
/** A server that ignores SIGTERM for longer is killed. */
const TERM_GRACE_MS = 5_000;
/** Between our letting go of a probed port and the server's taking it, another process may be quicker. */
const PORT_TRIES = 3;
const KEPT_OUTPUT_CHARS = 4_000;

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** On top of this process's own; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface ChildServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  readonly pid: number;
  /** The end of what it has written to stdout and stderr. */
  output(): string;
}

/** Starts a server on a free port of 127.0.0.1 and resolves when it accepts connections. */
export async function startChildServer(commandFor: (port: number) => Command): Promise<ChildServer> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const started = await startOn(port, commandFor(port));
    if (started.kind === 'accepts') return started.server;
    if (attempt === PORT_TRIES || !/in use/i.test(started.output)) throw new Error(started.output);
  }
}

/** A port of 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('A TCP server has no port');
  return address.port;
}

type Started =
  | { readonly kind: 'accepts'; readonly server: ChildServer }
  | { readonly kind: 'ended'; readonly output: string };

/** Starts a server on this port, without a second try. */
export async function startOn(port: number, command: Command): Promise<Started> {
  const child = spawn(command.file, command.args, {
    cwd: command.cwd,
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', PYTHONUNBUFFERED: '1', ...command.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = keepOutput(child);
  const line = [command.file, ...command.args].join(' ');
  if (!(await acceptsBeforeItEnds(port, child))) {
    await endChild(child);
    return { kind: 'ended', output: `${line} does not accept connections on port ${port}:\n${output()}` };
  }
  const server = {
    port,
    url: `http://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    output,
    [Symbol.asyncDispose]: () => endChild(child),
  };
  return { kind: 'accepts', server };
}

function keepOutput(child: ChildProcess): () => string {
  let kept = '';
  const keep = (part: Buffer): void => {
    kept = (kept + part.toString()).slice(-KEPT_OUTPUT_CHARS);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  child.on('error', (error) => keep(Buffer.from(error.message)));
  return () => kept;
}

async function acceptsBeforeItEnds(port: number, child: ChildProcess): Promise<boolean> {
  const deadline = performance.now() + ACCEPT_DEADLINE_MS;
  while (performance.now() < deadline && hasNotEnded(child)) {
    // Asked again after the connection: on a port in use, it is another server that accepts.
    if ((await accepts(port)) && hasNotEnded(child)) return true;
    await new Promise((resolve) => setTimeout(resolve, PROBE_INTERVAL_MS));
  }
  return false;
}

function hasNotEnded(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

async function accepts(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', () => resolve(false));
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

/** SIGTERM, then SIGKILL; resolves when the process is gone. */
async function endChild(child: ChildProcess): Promise<void> {
  if (!hasNotEnded(child)) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), TERM_GRACE_MS);
  await gone;
  clearTimeout(killer);
}
