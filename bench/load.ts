/** Load by wrk, and what it and the proxy's processor say of it. */

import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { cpuSeconds } from '../test/harness/procfs.ts';

export interface LoadPlan {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  /** Each request on a connection of its own. */
  readonly close?: boolean;
}

export interface Load {
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Connections that failed, answers that were no 2xx or 3xx, and answers that took over the limit of 30 s. */
  readonly errors: number;
}

export interface Measured extends Load {
  /** The proxy's own, in µs a request. */
  readonly cpuMicros: number;
}

/** Large responses may all still be under way at the end: then there were none. @throws what wrk said, if it did not run */
export async function load({ url, connections, seconds, close = false }: LoadPlan): Promise<Load> {
  const header = close ? ['-H', 'Connection: close'] : [];
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '30s', '--latency', ...header, url];
  const wrk = spawn('wrk', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const [output, complaint] = await Promise.all([text(wrk.stdout), text(wrk.stderr)]);
  const [, requests, spent] = /(\d+) requests in ([\d.]+)s/.exec(output) ?? [];
  if (requests === undefined) throw new Error(`wrk ${args.join(' ')}: ${output}${complaint}`);
  return {
    requests: Number(requests),
    requestsPerSecond: Number(requests) / Number(spent),
    p50Ms: latencyMs(output, '50%'),
    p99Ms: latencyMs(output, '99%'),
    errors: errorsIn(output),
  };
}

/** The same load for half as long: connections, the kernel's buffers and compiled code do not outlast another peer's round. */
export async function leadIn(plan: LoadPlan): Promise<void> {
  await load({ ...plan, seconds: Math.ceil(plan.seconds / 2) });
}

/** The load, with a lead-in that does not count, and what it cost this process. */
export async function measured(pid: number, plan: LoadPlan): Promise<Measured> {
  await leadIn(plan);
  const before = cpuSeconds(pid);
  const result = await load(plan);
  return { ...result, cpuMicros: ((cpuSeconds(pid) - before) * 1_000_000) / result.requests };
}

const MS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000 };

function latencyMs(output: string, quantile: string): number {
  const [, value, unit = ''] = new RegExp(`${quantile}\\s+([\\d.]+)(us|ms|s|m)`).exec(output) ?? [];
  return Number(value) * (MS[unit] ?? Number.NaN);
}

function errorsIn(output: string): number {
  const sockets = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(output) ?? [];
  const statuses = /Non-2xx or 3xx responses: (\d+)/.exec(output) ?? [];
  return [...sockets.slice(1), ...statuses.slice(1)].map(Number).reduce((sum, count) => sum + count, 0);
}

/** Of an even number of values, halfway between the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  return ((sorted[Math.ceil(half) - 1] ?? Number.NaN) + (sorted[Math.floor(half)] ?? Number.NaN)) / 2;
}
