/** From the start of the process to the first response, beside Node that does nothing. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Arguments } from '../arguments.ts';
import { median } from '../load.ts';
import { LASTBYTE, startMeasured } from '../peers.ts';
import { BIN } from '../../test/harness/lastbyte.ts';
import { freePort } from '../../test/harness/ports.ts';
import { Scene } from '../scene.ts';
import { figure, table } from '../tables.ts';

export async function startUp({ rounds }: Arguments): Promise<string> {
  await using scene = await Scene.open();
  const path = scene.path(1024);
  const [toAnswer, toVersion, toNothing]: [number[], number[], number[]] = [[], [], []];
  for (let round = 0; round < rounds; round += 1) {
    toNothing.push(await timed(async () => await ran(['-e', '0'])));
    toVersion.push(await timed(async () => await ran([BIN, '--version'])));
    const port = await freePort();
    const startedMs = performance.now();
    const folder = scene.subfolder('start');
    const place = { folder, port, upstreamPort: scene.originPort };
    await using child = startMeasured(folder, LASTBYTE.command(place));
    while (!(await answers(`http://127.0.0.1:${port}${path}`))) await sleep(2);
    toAnswer.push(performance.now() - startedMs);
    await child[Symbol.asyncDispose]();
  }
  const nothing = median(toNothing);
  const row = (what: string, times: readonly number[]): string[] => [
    what,
    figure(median(times)),
    figure(median(times) / nothing),
  ];
  const rows = [
    row('`node -e 0`, to its end', toNothing),
    row('`lastbyte --version`, to its end', toVersion),
    row('`lastbyte 8000`, to the first response', toAnswer),
  ];
  return [`Medians of ${rounds}.`, table(['', 'ms', '÷ `node -e 0`'], rows)].join('\n\n');
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url);
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
}

async function ran(args: readonly string[]): Promise<void> {
  await once(spawn(process.execPath, args, { stdio: 'ignore' }), 'exit');
}

async function timed(action: () => Promise<void>): Promise<number> {
  const startedMs = performance.now();
  await action();
  return performance.now() - startedMs;
}
