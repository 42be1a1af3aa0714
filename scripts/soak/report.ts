/** The soak's lines and its summary. */

import type { Tally } from './load.ts';
import type { Holdings } from './measured-process.ts';

export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Where the counting was at some time. */
export interface Mark {
  readonly tally: Tally;
  readonly atMs: number;
}

export function progressLine(
  from: Mark,
  to: Mark,
  startedMs: number,
  residentBytes: number,
  descriptors: number,
): string {
  const seconds = (to.atMs - from.atMs) / 1000;
  const rate = Math.round((to.tally.exchanges - from.tally.exchanges) / seconds);
  const fields = [
    clock(to.atMs - startedMs),
    `${count(to.tally.exchanges)} exchanges`,
    `${rate}/s`,
    ...resultsOf(to.tally).map(([name, times]) => `${name} ${count(times)}`),
    `wrong ${to.tally.wrong}`,
    `under way ${to.tally.underWay}`,
    `resident ${mib(residentBytes)}`,
    `descriptors ${descriptors}`,
  ];
  return fields.join('  ');
}

/** How much more than at its start level a process may hold, and why that much. */
export interface Tolerance {
  readonly name: string;
  readonly atStart: number;
  readonly atEnd: number;
  readonly most: number;
  readonly shown: (value: number) => string;
}

/**
 * - Descriptors and what keeps the event loop going come back exactly: each is a socket, a server, a file or a timer.
 * - The heap keeps compiled code and what was learned by route (bounded): a quarter more, and 4 MiB.
 * - Resident memory keeps what the allocator does not give back, in pieces that depend on the order of frees: a
 *   quarter more, and 32 MiB. What leaks on the heap shows there first.
 */
export function tolerances(start: Holdings, end: Holdings): Tolerance[] {
  const grown = (value: number, byBytes: number): number => value * 1.25 + byBytes;
  const exact = (name: string, of: (holdings: Holdings) => ReadonlyMap<string, number>): Tolerance[] =>
    [...new Set([...of(start).keys(), ...of(end).keys()])].map((kind) => {
      const atStart = of(start).get(kind) ?? 0;
      return {
        name: `${name}: ${kind}`,
        atStart,
        atEnd: of(end).get(kind) ?? 0,
        most: atStart,
        shown: count,
      };
    });
  return [
    ...exact('descriptors', (holdings) => holdings.descriptors),
    ...exact('event loop', (holdings) => holdings.resources),
    {
      name: 'heap used',
      atStart: start.heapUsedBytes,
      atEnd: end.heapUsedBytes,
      most: grown(start.heapUsedBytes, 4 * MIB),
      shown: mib,
    },
    {
      name: 'resident',
      atStart: start.residentBytes,
      atEnd: end.residentBytes,
      most: grown(start.residentBytes, 32 * MIB),
      shown: mib,
    },
  ];
}

export function holdingsTable(rows: readonly Tolerance[]): string {
  const header = ['', 'at start', 'at the end', 'at most'];
  const body = rows.map(({ name, atStart, atEnd, most, shown }) => [
    name,
    shown(atStart),
    shown(atEnd),
    shown(most),
  ]);
  return table([header, ...body]);
}

export function resultsTable(tally: Tally): string {
  const rows = resultsOf(tally).map(([name, times]) => [name, count(times)]);
  return table([['outcome', 'exchanges'], ...rows, ['wrong', count(tally.wrong)]]);
}

function resultsOf({ results }: Tally): [string, number][] {
  return Object.entries(results).sort(([one], [other]) => (one < other ? -1 : 1));
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  '),
    )
    .join('\n');
}

const MIB = 1024 * 1024;

export function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}

function clock(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`;
}

export function count(value: number): string {
  return value.toLocaleString('en');
}
