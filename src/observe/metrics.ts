/** Prometheus metrics of one proxy. */

import { performance } from 'node:perf_hooks';
import type { AttemptRecord, ExchangeRecord } from '../exchange/events.ts';
import type { Inspected } from './inspector/inspector.ts';
import { BUILD, COUNTERS, HISTOGRAMS, READINGS } from './metrics-table.ts';
import type { CounterRow, HistogramRow, ReadingName } from './metrics-table.ts';
import type { AdminPage } from './pages.ts';
import { savedBy } from './severity.ts';

/** What is read at each scrape. */
type Measured = Pick<Inspected, 'load' | 'settings'>;

export class Metrics {
  readonly #metrics: Metric[] = [];
  readonly #exchanges = this.#counts(COUNTERS.exchanges);
  readonly #responses = this.#counts(COUNTERS.responses);
  readonly #refusals = this.#counts(COUNTERS.refusals);
  readonly #saved = this.#counts(COUNTERS.saved);
  readonly #attempts = this.#counts(COUNTERS.attempts);
  readonly #endings = this.#counts(COUNTERS.endings);
  readonly #requestBytes = this.#counts(COUNTERS.requestBytes);
  readonly #responseBytes = this.#counts(COUNTERS.responseBytes);
  readonly #upstreamBytes = this.#counts(COUNTERS.upstreamBytes);
  readonly #surplusBytes = this.#counts(COUNTERS.surplusBytes);
  readonly #adminErrors = this.#counts(COUNTERS.adminErrors);
  readonly #duration = this.#histogram(HISTOGRAMS.duration);
  readonly #firstByte = this.#histogram(HISTOGRAMS.firstByte);
  readonly #wait = this.#histogram(HISTOGRAMS.wait);

  constructor(measured: Measured, version: string) {
    const { name, help } = BUILD;
    const build = [sample(1, { version })];
    this.#metrics.push({ name, help, type: 'gauge', samples: () => build });
    for (const reading of Object.keys(READINGS).filter(isReading)) this.#reading(reading, measured);
  }

  get page(): AdminPage {
    return {
      path: '/metrics',
      method: 'GET',
      respond: async () => ({
        kind: 'whole',
        status: 200,
        contentType: EXPOSITION_TYPE,
        body: exposition(this.#metrics),
      }),
    };
  }

  add(record: ExchangeRecord): void {
    const { outcome, status, error, durationMs, waitedMs, requestBodyBytes, responseBytes } = record;
    this.#exchanges.add(1, outcome);
    this.#responses.add(1, classOf(status));
    if (error !== null) this.#refusals.add(1, error);
    const saved = savedBy(record);
    if (saved !== null) this.#saved.add(1, saved);
    this.#requestBytes.add(requestBodyBytes);
    this.#responseBytes.add(responseBytes);
    this.#duration.observe(durationMs / 1000);
    if (waitedMs > 0) this.#wait.observe(waitedMs / 1000);
    for (const attempt of record.attempts) this.#addAttempt(attempt);
  }

  /** The admin listener or the inspector failed. */
  adminFailed(): void {
    this.#adminErrors.add(1);
  }

  #addAttempt({ reason, verdict, evidence, notes }: AttemptRecord): void {
    this.#attempts.add(1, reason, verdict);
    this.#endings.add(1, evidence.ending.kind, evidence.requestBody);
    this.#upstreamBytes.add(evidence.bodyBytes);
    if (evidence.surplusBytes > 0) this.#surplusBytes.add(evidence.surplusBytes);
    if (notes === null || notes.headSentMs === null || notes.firstByteMs === null) return;
    this.#firstByte.observe((notes.firstByteMs - notes.headSentMs) / 1000);
  }

  #counts({ name, help, labels }: CounterRow): Counts {
    const counts = new Counts(labels);
    this.#metrics.push({ name, help, type: 'counter', samples: () => counts.samples() });
    return counts;
  }

  #histogram({ name, help, buckets }: HistogramRow): Histogram {
    const histogram = new Histogram(buckets);
    this.#metrics.push({ name, help, type: 'histogram', samples: () => histogram.samples() });
    return histogram;
  }

  #reading(which: ReadingName, measured: Measured): void {
    const { name, help, rises } = READINGS[which];
    const samples = (): readonly Sample[] => [sample(READERS[which](measured))];
    this.#metrics.push({ name, help, type: rises ? 'counter' : 'gauge', samples });
  }
}

/** A status without a class counts as 5xx (RFC 9110 section 15). */
function classOf(status: number): string {
  return status === 0 ? 'none' : `${Math.min(Math.trunc(status / 100), 5)}xx`;
}

function isReading(name: string): name is ReadingName {
  return Object.hasOwn(READINGS, name);
}

const READERS: Readonly<Record<ReadingName, (measured: Measured) => number>> = {
  running: (proxy) => proxy.load().running,
  connections: (proxy) => proxy.load().connections,
  lingering: (proxy) => proxy.load().lingering,
  waiting: (proxy) => proxy.load().waiting,
  spoolMemory: (proxy) => proxy.load().spool_memory_bytes,
  spoolMemoryLimit: ({ settings }) => settings.memoryTotalBytes,
  spoolDisk: (proxy) => proxy.load().spool_disk_bytes,
  spoolDiskLimit: ({ settings }) => settings.diskTotalBytes,
  startTime: () => performance.timeOrigin / 1000,
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  },
  loop: () => performance.eventLoopUtilization().active / 1000,
  residentMemory: () => process.memoryUsage.rss(),
  heapUsed: () => process.memoryUsage().heapUsed,
  external: () => process.memoryUsage().external,
};

/** The value of a label that the counter does not have. */
const NO_LABEL = '';

/** A counter per combination of label values, cheap enough for every exchange. */
class Counts {
  readonly #names: readonly string[];
  /** By the first and the second label's value. Joining both into one key would cost more than counting. */
  readonly #counts = new Map<string, Map<string, number>>();

  /** Every series starts at 0: otherwise, its first count would not be an increase for Prometheus's `rate`. */
  constructor(labels: CounterRow['labels']) {
    this.#names = Object.keys(labels);
    const [firsts = [NO_LABEL], seconds = [NO_LABEL]] = Object.values(labels);
    for (const first of firsts) this.#counts.set(first, new Map(seconds.map((second) => [second, 0])));
  }

  samples(): readonly Sample[] {
    return [...this.#counts].flatMap(([first, bySecond]) =>
      [...bySecond].map(([second, count]) => sample(count, labelled(this.#names, [first, second]))),
    );
  }

  /** Values outside their fixed sets are not counted. */
  add(count: number, first: string = NO_LABEL, second: string = NO_LABEL): void {
    const bySecond = this.#counts.get(first);
    bySecond?.set(second, (bySecond.get(second) ?? 0) + count);
  }
}

function labelled(names: readonly string[], values: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name, at) => [name, values[at] ?? NO_LABEL]));
}

const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export interface Sample {
  /** Appended to the metric's name: `_sum`. */
  readonly suffix: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** Called at each scrape. */
  readonly samples: () => readonly Sample[];
}

export function exposition(metrics: readonly Metric[]): string {
  return metrics.map((metric) => `${linesOf(metric).join('\n')}\n`).join('\n');
}

export function sample(value: number, labels: Sample['labels'] = {}, suffix = ''): Sample {
  return { suffix, labels, value };
}

function linesOf({ name, help, type, samples }: Metric): readonly string[] {
  return [
    `# HELP ${name} ${escaped(help)}`,
    `# TYPE ${name} ${type}`,
    ...samples().map(
      ({ suffix, labels, value }) => `${name}${suffix}${labelText(labels)} ${numberText(value)}`,
    ),
  ];
}

function labelText(labels: Sample['labels']): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${escaped(value).replaceAll('"', String.raw`\"`)}"`,
  );
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', String.raw`\n`);
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

/** Counts values per bucket. */
export class Histogram {
  readonly #limits: readonly number[];
  /** One more than limits: the last counts values over all of them. */
  readonly #counts: number[];
  #sum = 0;

  /** @param limits of the buckets, in ascending order */
  constructor(limits: readonly number[]) {
    this.#limits = limits;
    this.#counts = Array.from({ length: limits.length + 1 }, () => 0);
  }

  observe(value: number): void {
    const at = this.#limits.findIndex((limit) => value <= limit);
    const bucket = at === -1 ? this.#limits.length : at;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#sum += value;
  }

  samples(): readonly Sample[] {
    let count = 0;
    const buckets = this.#counts.map((own, at) => {
      count += own;
      return sample(count, { le: numberText(this.#limits[at] ?? Infinity) }, '_bucket');
    });
    return [...buckets, sample(this.#sum, {}, '_sum'), sample(count, {}, '_count')];
  }
}
