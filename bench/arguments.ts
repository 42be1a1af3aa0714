/** What the commands of this folder understand. */

import { parseArgs } from 'node:util';
import { PEERS, type Peer } from './peers.ts';
import { SIZES } from './scene.ts';
import type { Size } from './scene.ts';

export const HELP = `npm run bench [-- CASE …] [-- options]

Cases: throughput (the default), cold, page, memory, slow-client, django, idle, start, growth; all: every one.
  --only a,b      these peers (${PEERS.map(({ name }) => name).join(', ')})
  --sizes 1kb,…   these bodies (1kb, 50kb, 1mb, 10mb)
  --rounds N      interleaved rounds, of which the medians count (default 5)
  --seconds N     of each round (default 3)
  --quick         two rounds of 1 s, to see that all works
  --write         into docs/performance.md
`;

export interface Arguments {
  readonly cases: readonly string[];
  readonly peers: readonly Peer[];
  readonly missing: readonly string[];
  readonly sizes: readonly Size[];
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly write: boolean;
}

/** Null: help was asked for. @throws a sentence for whoever wrote the command line */
export function readArguments(): Arguments | null {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      only: { type: 'string' },
      sizes: { type: 'string' },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '3' },
      quick: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  const chosen = chosenFrom('--only', PEERS, values.only, ({ name }) => name);
  return {
    cases: positionals.length === 0 ? ['throughput'] : positionals,
    peers: chosen.filter((peer) => peer.version() !== null),
    missing: chosen.filter((peer) => peer.version() === null).map(({ name }) => name),
    sizes: chosenFrom('--sizes', SIZES, values.sizes, ({ name }) => name.replace(' ', '').toLowerCase()),
    rounds: values.quick ? 2 : wholeNumber('--rounds', values.rounds),
    seconds: values.quick ? 1 : wholeNumber('--seconds', values.seconds),
    warmUpSeconds: values.quick ? 1 : 12,
    write: values.write,
  };
}

function chosenFrom<T>(
  flag: string,
  all: readonly T[],
  list: string | undefined,
  nameOf: (one: T) => string,
): readonly T[] {
  if (list === undefined) return all;
  return list.split(',').map((name) => {
    const found = all.find((one) => nameOf(one) === name);
    if (found === undefined) throw new Error(`${flag} ${name}: write any of ${all.map(nameOf).join(', ')}.`);
    return found;
  });
}

function wholeNumber(flag: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 1000)
    throw new Error(`${flag} ${text}: write a whole number from 1 to 1000.`);
  return value;
}
