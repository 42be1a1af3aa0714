/** Numbers as they are written in a sentence: 1,234 bytes, 2.5 s, 3 tries. */

const GROUPED: Intl.NumberFormat = new Intl.NumberFormat('en-US');

export function grouped(value: number): string {
  return GROUPED.format(value);
}

export function count(value: number, noun: string): string {
  return `${grouped(value)} ${noun}${value === 1 ? '' : 's'}`;
}

export function bytes(value: number): string {
  return count(value, 'byte');
}

/** `250 ms`, `10 s`, `2.5 s`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return `${grouped(Math.round(ms / 100) / 10)} s`;
}
