/** Counts what becomes of exchanges, for Prometheus; a registry of its own for each proxy. */

import { performance } from 'node:perf_hooks';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { AttemptRecord, ExchangeRecord } from '../exchange/events.ts';
import type { NowView } from './inspector/types.ts';
import type { AdminPage } from './pages.ts';
import { savedBy } from './severity.ts';
import { BUILD, COUNTERS, HISTOGRAMS, READINGS } from './metrics-table.ts';
import type { CounterRow, HistogramRow, ReadingName } from './metrics-table.ts';

/** What is asked at each scrape. */
export interface Measured {
  readonly version: string;
  readonly now: () => NowView & { readonly running: number };
  readonly limits: () => { readonly memoryTotalBytes: number; readonly diskTotalBytes: number };
}

export class Metrics {
  readonly #registry = new Registry();
  readonly #exchanges = new Counts(COUNTERS.exchanges, this.#registry);
  readonly #responses = new Counts(COUNTERS.responses, this.#registry);
  readonly #refusals = new Counts(COUNTERS.refusals, this.#registry);
  readonly #saved = new Counts(COUNTERS.saved, this.#registry);
  readonly #attempts = new Counts(COUNTERS.attempts, this.#registry);
  readonly #endings = new Counts(COUNTERS.endings, this.#registry);
  readonly #requestBytes = new Counts(COUNTERS.requestBytes, this.#registry);
  readonly #responseBytes = new Counts(COUNTERS.responseBytes, this.#registry);
  readonly #upstreamBytes = new Counts(COUNTERS.upstreamBytes, this.#registry);
  readonly #surplusBytes = new Counts(COUNTERS.surplusBytes, this.#registry);
  readonly #adminErrors = new Counts(COUNTERS.adminErrors, this.#registry);
  readonly #duration = this.#histogram(HISTOGRAMS.duration);
  readonly #firstByte = this.#histogram(HISTOGRAMS.firstByte);
  readonly #wait = this.#histogram(HISTOGRAMS.wait);

  constructor(measured: Measured) {
    const { name, help } = BUILD;
    new Gauge({ name, help, labelNames: ['version'], registers: [this.#registry] }).set(
      { version: measured.version },
      1,
    );
    for (const reading of Object.keys(READINGS).filter(isReading)) this.#reading(reading, measured);
  }

  get page(): AdminPage {
    return {
      path: '/metrics',
      method: 'GET',
      answer: async () => ({
        kind: 'whole',
        status: 200,
        contentType: this.#registry.contentType,
        body: await this.#registry.metrics(),
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

  /** Something that watches failed. */
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

  #histogram({ name, help, buckets }: HistogramRow): Histogram {
    return new Histogram({ name, help, buckets: [...buckets], registers: [this.#registry] });
  }

  #reading(which: ReadingName, measured: Measured): void {
    const { name, help, rises } = READINGS[which];
    const common = { name, help, registers: [this.#registry] };
    const read = (): number => READERS[which](measured);
    if (!rises) {
      const gauge: Gauge = new Gauge({ ...common, collect: () => gauge.set(read()) });
      return;
    }
    const collect = (): void => {
      counter.reset();
      counter.inc(read());
    };
    const counter: Counter = new Counter({ ...common, collect });
  }
}

/** A status that no class has is taken for a 5xx (RFC 9110 section 15). */
function classOf(status: number): string {
  return status === 0 ? 'none' : `${Math.min(Math.trunc(status / 100), 5)}xx`;
}

function isReading(name: string): name is ReadingName {
  return Object.hasOwn(READINGS, name);
}

const READERS: Readonly<Record<ReadingName, (measured: Measured) => number>> = {
  running: ({ now }) => now().running,
  connections: ({ now }) => now().connections,
  lingering: ({ now }) => now().lingering,
  waiting: ({ now }) => now().waiting,
  spoolMemory: ({ now }) => now().spool_memory_bytes,
  spoolMemoryLimit: ({ limits }) => limits().memoryTotalBytes,
  spoolDisk: ({ now }) => now().spool_disk_bytes,
  spoolDiskLimit: ({ limits }) => limits().diskTotalBytes,
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

/** What stands for the value of a label that the counter does not have. */
const NO_LABEL = '';

/** Counts by label values, cheap enough for every exchange; prom-client reads them when it is scraped. */
class Counts {
  /** By the values of the first and the second label: a map each, because to join them would cost more than to count. */
  readonly #counts = new Map<string, Map<string, number>>();

  /** Every series is there from the beginning, at 0: else its first count would be no increase (Prometheus, "rate"). */
  constructor({ name, help, labels }: CounterRow, registry: Registry) {
    const labelNames = Object.keys(labels);
    const [firsts = [NO_LABEL], seconds = [NO_LABEL]] = Object.values(labels);
    for (const first of firsts) this.#counts.set(first, new Map(seconds.map((second) => [second, 0])));
    const counts = this.#counts;
    const counter = new Counter({
      name,
      help,
      labelNames,
      registers: [registry],
      collect() {
        counter.reset();
        for (const [first, bySecond] of counts) {
          for (const [second, count] of bySecond) counter.inc(labelled(labelNames, [first, second]), count);
        }
      },
    });
  }

  /** @param first a value from its closed set, as `second`; what is not of the sets is not counted */
  add(count: number, first: string = NO_LABEL, second: string = NO_LABEL): void {
    const bySecond = this.#counts.get(first);
    bySecond?.set(second, (bySecond.get(second) ?? 0) + count);
  }
}

function labelled(names: readonly string[], values: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name, at) => [name, values[at] ?? NO_LABEL]));
}
