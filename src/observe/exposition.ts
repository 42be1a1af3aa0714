/** Prometheus' text format (prometheus.io, "Exposition formats", version 0.0.4): what a scrape reads. */

export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export interface Sample {
  /** After the metric's name: `_sum`. */
  readonly suffix: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** Read when it is scraped. */
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

/** How many values were at most each of a few limits. */
export class Histogram {
  readonly #limits: readonly number[];
  /** One more than limits: the last counts what is over all of them. */
  readonly #counts: number[];
  #sum = 0;

  /** @param limits in rising order */
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
