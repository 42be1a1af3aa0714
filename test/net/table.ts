/** What the clients got, as a table for a person. */

import type { Got } from './house.ts';

export interface Row {
  readonly shape: string;
  readonly server: string;
  readonly place: string;
  readonly upload: string;
  readonly got: readonly Got[];
}

/** A line for each request; whole responses of all, the bytes of each that was cut, and the median time of the whole. */
export function tableOf(rows: readonly Row[]): string {
  const head = [
    'wire, each way',
    'server',
    'request body',
    'lastbyte',
    'whole',
    'median',
    'bytes of those cut',
  ];
  const lines = rows.map(({ shape, server, upload, place, got }) => {
    const whole = got.filter(({ same }) => same);
    const cut = got.filter(({ same }) => !same).map(({ status, bytes }) => `${status}: ${bytes}`);
    const median = whole.map(({ ms }) => ms).sort((a, b) => a - b)[Math.floor(whole.length / 2)];
    const ms = median === undefined ? '' : `${median} ms`;
    return [shape, server, upload, place, `${whole.length} of ${got.length}`, ms, cut.join(', ')];
  });
  const all = [head, head.map(() => '---'), ...lines];
  return `\n${all.map((cells) => `| ${cells.join(' | ')} |\n`).join('')}\n`;
}
