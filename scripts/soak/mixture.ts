/** The soak itself: warm up, rest, measure; load with outages; rest, measure, and compare. */

import { setTimeout as delay } from 'node:timers/promises';
import type { LoadAsk, Tally } from './load.ts';
import { MeasuredProcess } from './measured-process.ts';
import type { Holdings } from './measured-process.ts';
import { count, holdingsTable, mib, progressLine, resultsTable, say, tolerances } from './report.ts';
import type { Mark } from './report.ts';
import { Thread } from './thread.ts';
import type { UpstreamAsk, UpstreamReply } from './upstream.ts';

export interface MixtureOptions {
  readonly seconds: number;
  /** Exchanges a second. */
  readonly rate: number;
  readonly seed: number;
}

/** Small limits, so that every one of them is met: a body above 256 KiB goes to a file, a hang ends in 3 s. */
const ARGS =
  '--memory-per-body 256kb --memory-total 64mb --max-waiting 4096 --body-hold-max 1s --first-byte-timeout 3s ' +
  '--body-idle-timeout 3s --linger-timeout 200ms --upstream-idle-timeout 1s';
const OUTAGE_MS = 400;
/** The pool of upstream connections empties after 1 s. */
const REST_TIMEOUT_MS = 60_000;

interface Stage {
  readonly upstream: Thread<UpstreamAsk, UpstreamReply>;
  readonly load: Thread<LoadAsk, Tally>;
  readonly proxy: MeasuredProcess;
  readonly port: number;
  readonly startedMs: number;
}

/** The number of things that were wrong. */
export async function soakMixture(options: MixtureOptions): Promise<number> {
  const { seconds, rate, seed } = options;
  await using upstream = new Thread<UpstreamAsk, UpstreamReply>('upstream.ts');
  await using load = new Thread<LoadAsk, Tally>('load.ts');
  await using proxy = new MeasuredProcess((await upstream.ask('count')).port, ARGS.split(' '));
  const port = await proxy.port();
  const stage: Stage = { upstream, load, proxy, port, startedMs: performance.now() };
  const warmSeconds = Math.min(60, Math.max(2, seconds / 5));
  say(`Soak: ${seconds} s at ${rate} exchanges a second, seed ${seed}; the first ${warmSeconds} s warm up.`);

  const fresh = await proxy.holdings();
  await loadFor(stage, options, warmSeconds);
  const start = await rested(stage, fresh);
  await loadFor(stage, { ...options, seed: seed + 1 }, seconds - warmSeconds);
  const end = await rested(stage, fresh);
  const tally = await load.ask({ kind: 'count' });
  const { wrongUploads } = await upstream.ask('count');
  const exitCode = await proxy.stop();
  return conclude({ start, end, tally, wrongUploads, exitCode, left: proxy.leftInSpool(), proxy });
}

/** Loads, with an outage in the middle of each report. */
async function loadFor(stage: Stage, { rate, seed }: MixtureOptions, seconds: number): Promise<void> {
  const { load, proxy, port, startedMs } = stage;
  const untilMs = performance.now() + seconds * 1000;
  let from: Mark = { tally: await load.ask({ kind: 'begin', port, rate, seed }), atMs: performance.now() };
  while (performance.now() < untilMs) {
    const stepMs = Math.min(10_000, untilMs - performance.now());
    await delay(stepMs / 2);
    await outage(stage);
    await delay(Math.max(0, stepMs / 2 - OUTAGE_MS));
    const to = { tally: await load.ask({ kind: 'count' }), atMs: performance.now() };
    const open = [...proxy.descriptors().values()].reduce((sum, more) => sum + more, 0);
    say(progressLine(from, to, startedMs, proxy.residentBytes(), open));
    from = to;
  }
}

async function outage({ upstream, load }: Stage): Promise<void> {
  await load.ask({ kind: 'outage' });
  await upstream.ask('leave');
  await delay(OUTAGE_MS);
  await upstream.ask('return');
  await load.ask({ kind: 'over' });
}

/** What the proxy holds when all load is over, and its connections have had their time to go. */
async function rested({ load, proxy }: Stage, fresh: Holdings): Promise<Holdings> {
  await load.ask({ kind: 'rest' });
  const untilMs = performance.now() + REST_TIMEOUT_MS;
  const sockets = (holdings: { readonly descriptors: ReadonlyMap<string, number> }): number =>
    holdings.descriptors.get('socket') ?? 0;
  while (sockets({ descriptors: proxy.descriptors() }) > sockets(fresh) && performance.now() < untilMs)
    await delay(100);
  return await proxy.holdings();
}

interface Ending {
  readonly start: Holdings;
  readonly end: Holdings;
  readonly tally: Tally;
  readonly wrongUploads: number;
  readonly exitCode: number | null;
  readonly left: readonly string[];
  readonly proxy: MeasuredProcess;
}

function conclude({ start, end, tally, wrongUploads, exitCode, left, proxy }: Ending): number {
  const rows = tolerances(start, end);
  const wrongs = [
    ...tally.wrongs,
    ...rows
      .filter(({ atEnd, most }) => atEnd > most)
      .map(({ name, atEnd, most, shown }) => `${name}: ${shown(atEnd)}, more than ${shown(most)}`),
  ];
  if (wrongUploads > 0) wrongs.push(`${wrongUploads} request bodies reached the upstream as others`);
  if (exitCode !== 0) wrongs.push(`lastbyte ended with ${exitCode}: ${proxy.output}`);
  if (left.length > 0) wrongs.push(`left in the spool folder: ${left.join(', ')}`);
  say(`\n${resultsTable(tally)}\n\n${holdingsTable(rows)}\n`);
  say(
    `${count(tally.exchanges)} exchanges, ${mib(tally.bytes)} of bodies checked, ${tally.postponed} left out`,
  );
  const total = wrongs.length - tally.wrongs.length + tally.wrong;
  for (const wrong of wrongs) say(`WRONG: ${wrong}`);
  say(total === 0 ? 'Nothing wrong.' : `${count(total)} things wrong.`);
  return total;
}
