/** What /proc says of a process: its CPU time, its memory, its open files. Of one with children, the sum. */

import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const CLOCK_TICKS_PER_SECOND = 100;

/** CPU time so far, user and system. */
export function cpuSeconds(pid: number): number {
  return withChildren(pid).reduce((sum, one) => sum + cpuTicks(one), 0) / CLOCK_TICKS_PER_SECOND;
}

/** Resident memory at the moment; what processes share is counted for each. */
export function residentBytes(pid: number): number {
  return withChildren(pid).reduce((sum, one) => sum + statusBytes(one, 'VmRSS'), 0);
}

/** The most that was ever resident. */
export function peakBytes(pid: number): number {
  return withChildren(pid).reduce((sum, one) => sum + statusBytes(one, 'VmHWM'), 0);
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

function statusBytes(pid: number, name: 'VmRSS' | 'VmHWM'): number {
  const [, kib = 0] = new RegExp(`^${name}:\\s*(\\d+) kB$`, 'm').exec(read(`/proc/${pid}/status`)) ?? [];
  return Number(kib) * 1024;
}

/** Empty when the process is gone. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

export interface Descriptor {
  /** In /proc: who opens it has the file, also one without a name. */
  readonly path: string;
  readonly target: string;
}

/** The open descriptors of one process, and what they lead to. */
export function descriptorsOf(pid: number): Descriptor[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).map((name) => {
    const path = `${folder}/${name}`;
    try {
      return { path, target: readlinkSync(path) };
    } catch {
      return { path, target: 'closed meanwhile' };
    }
  });
}

/** What another process does shows in no event: looked for again and again, for 10 s at most. */
export async function eventually(holds: () => boolean): Promise<boolean> {
  for (let look = 0; look < 1000 && !holds(); look += 1) await delay(10);
  return holds();
}
