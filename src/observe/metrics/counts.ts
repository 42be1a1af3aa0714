/** Counts by label values, cheap enough for every exchange; prom-client reads them when it is scraped. */

import { Counter } from 'prom-client';
import type { Registry } from 'prom-client';
import type { CounterRow } from './table.ts';

export class Counts {
  readonly #counts = new Map<string, number>();

  /** Every series is there from the beginning, at 0: else its first count would be no increase (Prometheus, "rate"). */
  constructor({ name, help, labels }: CounterRow, registry: Registry) {
    const names = Object.keys(labels);
    for (const key of keysOf(Object.values(labels))) this.#counts.set(key, 0);
    const counts = this.#counts;
    const counter = new Counter({
      name,
      help,
      labelNames: names,
      registers: [registry],
      collect() {
        counter.reset();
        for (const [key, count] of counts) counter.inc(labelled(names, key), count);
      },
    });
  }

  add(key: string, count = 1): void {
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + count);
  }
}

const MARK = '|';

/** The key of a series with two labels. */
export function pairKey(first: string, second: string): string {
  return `${first}${MARK}${second}`;
}

function keysOf(sets: readonly (readonly string[])[]): string[] {
  return sets.reduce<string[]>(
    (keys, set, at) => keys.flatMap((key) => set.map((value) => (at === 0 ? value : pairKey(key, value)))),
    [''],
  );
}

function labelled(names: readonly string[], key: string): Record<string, string> {
  const values = key.split(MARK);
  return Object.fromEntries(names.map((name, at) => [name, values[at] ?? '']));
}
