/** Requests a second, the proxy's processor, latency and memory: all peers side by side, in interleaved rounds. */

import { peakBytes } from '../../test/harness/procfs.ts';
import { load, measured, median } from '../load.ts';
import type { Measured } from '../load.ts';
import type { Peer } from '../peers.ts';
import { Scene } from '../scene.ts';
import type { Running, Size } from '../scene.ts';
import { figure, mib, table } from '../tables.ts';

export interface ThroughputPlan {
  readonly peers: readonly Peer[];
  readonly sizes: readonly Size[];
  readonly rounds: number;
  readonly seconds: number;
  /** Before anything counts: JavaScript and Go get faster as they run. */
  readonly warmUpSeconds: number;
  readonly connections: number;
}

const WARM_UP_ROUNDS = 4;

/** From this size on, the responses that a load leaves unread at its end fill the kernel's memory for TCP within a few rounds. */
const LARGE_BYTES = 1024 * 1024;

interface Result {
  readonly requestsPerSecond: number;
  readonly cpuMicros: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly errors: number;
  readonly peakBytes: number;
}

export type Results = ReadonlyMap<string, ReadonlyMap<string, Result>>;

export async function throughput(plan: ThroughputPlan, say: (line: string) => void): Promise<Results> {
  await using scene = await Scene.open();
  const running: Running[] = [];
  for (const peer of plan.peers) running.push(await scene.start(peer));
  await warmUp(scene, running, plan, say);
  const results = new Map<string, Map<string, Result>>();
  const peaks = new Map<string, number>();
  // The largest bodies come last: what they leave in a process's memory must not be counted for the small ones.
  for (const size of plan.sizes) {
    const rounds = new Map<string, Measured[]>(running.map(({ peer }) => [peer.name, []]));
    for (let round = 1; round <= plan.rounds; round += 1) {
      for (const [index, one] of running.entries()) {
        const { peer, url, child } = one;
        await scene.expectRight(url, size.bytes);
        const { connections, seconds } = plan;
        const result = await measured(child.pid, { url: url + scene.path(size.bytes), connections, seconds });
        rounds.get(peer.name)?.push(result);
        peaks.set(peer.name, Math.max(peaks.get(peer.name) ?? 0, peakBytes(child.pid)));
        const { requestsPerSecond, cpuMicros } = result;
        say(
          `${size.name}, round ${round}, ${peer.name}: ${figure(requestsPerSecond)} requests/s, ${figure(cpuMicros)} µs`,
        );
        if (peer.keepsAbandoned && size.bytes >= LARGE_BYTES) running[index] = await scene.restart(one);
      }
    }
    for (const { peer } of running) {
      const row = results.get(peer.name) ?? new Map<string, Result>();
      row.set(size.name, resultOf(rounds.get(peer.name) ?? [], peaks.get(peer.name) ?? 0));
      results.set(peer.name, row);
    }
  }
  return results;
}

/** In rounds, as it is measured: code that was compiled for a running load is compiled again when connections end and begin. */
async function warmUp(
  scene: Scene,
  running: readonly Running[],
  { connections, warmUpSeconds, sizes }: ThroughputPlan,
  say: (line: string) => void,
): Promise<void> {
  const smallest = sizes[0]?.bytes ?? 1024;
  for (let round = 1; round <= WARM_UP_ROUNDS; round += 1) {
    for (const { peer, url } of running) {
      say(`warming up ${peer.name}`);
      const seconds = Math.ceil(warmUpSeconds / WARM_UP_ROUNDS);
      await load({ url: url + scene.path(smallest), connections, seconds });
    }
  }
}

function resultOf(rounds: readonly Measured[], peak: number): Result {
  const middle = (pick: (one: Measured) => number): number => median(rounds.map(pick));
  return {
    requestsPerSecond: middle((one) => one.requestsPerSecond),
    cpuMicros: middle((one) => one.cpuMicros),
    p50Ms: middle((one) => one.p50Ms),
    p99Ms: middle((one) => one.p99Ms),
    errors: rounds.reduce((sum, one) => sum + one.errors, 0),
    peakBytes: peak,
  };
}

/** One table a size; ratios are to what is named in their heads, in the same run. */
export function throughputTables(results: Results, { sizes }: ThroughputPlan): string {
  return sizes
    .map((size) => {
      const of = (name: string): Result | undefined => results.get(name)?.get(size.name);
      const [plain, nginx] = [of('http-proxy'), of('nginx')];
      const rows = Array.from(results.keys(), (name) => {
        const result = of(name);
        if (result === undefined) return [name];
        const isDirect = name === 'direct';
        return [
          name === 'lastbyte' ? '**lastbyte**' : name,
          figure(result.requestsPerSecond),
          ratio(result.requestsPerSecond, plain?.requestsPerSecond),
          isDirect ? '-' : figure(result.cpuMicros),
          isDirect ? '-' : ratio(result.cpuMicros, nginx?.cpuMicros),
          figure(result.p50Ms),
          figure(result.p99Ms),
          isDirect ? '-' : mib(result.peakBytes),
          String(result.errors),
        ];
      });
      const head = [
        size.name,
        'requests/s',
        '÷ http-proxy',
        'CPU, µs a request',
        '÷ nginx',
        'p50, ms',
        'p99, ms',
        'peak memory so far, MiB',
        'errors',
      ];
      return table(head, rows);
    })
    .join('\n\n');
}

function ratio(value: number, to: number | undefined): string {
  return to === undefined ? '' : figure(value / to);
}
