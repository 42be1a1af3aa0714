/** Runs a command-line client to its end and keeps what it printed. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';

/** A client that hangs is a failure that must show as one, and not as the test's own time limit. */
const CLIENT_LIMIT_MS = 60_000;

export interface ClientRun {
  /** null: it was ended by a signal, such as ours when it hung. */
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs `file` with these arguments and without a terminal; `input` is written to its stdin. */
export async function runClient(
  file: string,
  args: readonly string[],
  input: Buffer = Buffer.alloc(0),
): Promise<ClientRun> {
  const child = spawn(file, args, { stdio: 'pipe', timeout: CLIENT_LIMIT_MS, killSignal: 'SIGKILL' });
  // A client may end without having read its input: that is its affair.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [stdout, stderr] = await Promise.all([
    buffer(child.stdout),
    buffer(child.stderr),
    once(child, 'close'),
  ]);
  return { code: child.exitCode, stdout, stderr: stderr.toString() };
}
