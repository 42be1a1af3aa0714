/** lastbyte as a process of its own, and what /proc tells of it. */

import { readdirSync, readlinkSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startLastbyte } from '../cli/command.ts';
import type { RunningCommand } from '../cli/command.ts';

/** lastbyte as a process of its own, its spool files in `folder`. */
export function startIn(
  folder: string,
  upstreamPort: number,
  more: readonly string[] = [],
  node: readonly string[] = [process.execPath],
): RunningCommand {
  const own = ['--port', '0', '--no-admin', '--spool-dir', folder, '--wait-for-upstream', '0'];
  return startLastbyte([String(upstreamPort), ...own, ...more], { node });
}

export async function portOf(command: RunningCommand): Promise<number> {
  return Number(new URL(await command.url()).port);
}

export function pidOf({ child }: RunningCommand): number {
  return child.pid ?? 0;
}

/** Descriptors of spool files. */
export function spoolFilesOf(command: RunningCommand, folder: string): string[] {
  const descriptors = `/proc/${pidOf(command)}/fd`;
  return readdirSync(descriptors)
    .map((name) => join(descriptors, name))
    .filter((path) => targetOf(path).startsWith(folder));
}

function targetOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return 'closed meanwhile';
  }
}

/** Connections that carried a request: the look at the target when lastbyte starts carries none. */
export function asked(sockets: readonly Socket[]): Socket[] {
  return sockets.filter(({ bytesRead }) => bytesRead > 0);
}

/** What another process does shows in no event: looked for again and again, for 10 s at most. */
export async function eventually(holds: () => boolean): Promise<boolean> {
  for (let look = 0; look < 1000 && !holds(); look += 1) await delay(10);
  return holds();
}
