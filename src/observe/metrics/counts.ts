/** Counts by label values, cheap enough for every exchange; prom-client reads them when it is scraped. */

import { Counter } from 'prom-client';
import type { Registry } from 'prom-client';
import type { CounterRow } from './table.ts';

/** What stands for the value of a label that the counter does not have. */
const NO_LABEL = '';

export class Counts {
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
