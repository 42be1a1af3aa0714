/** Sizes, times and numbers: `10mb` and `30s` in options, read and written; 1,234 bytes and 2.5 s in sentences. */

import { parsed, wrong } from './fault.ts';
import type { Parsed } from './fault.ts';

export const KIB = 1024;
export const MIB: number = 1024 * KIB;
export const GIB: number = 1024 * MIB;

export const SECOND_MS = 1000;
export const MINUTE_MS: number = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Largest first, so that the first unit that divides a value is the shortest way to write it. */
const SIZE_UNITS = [
  ['tb', 1024 * GIB],
  ['gb', GIB],
  ['mb', MIB],
  ['kb', KIB],
  ['b', 1],
] as const;

const TIME_UNITS = [
  ['d', DAY_MS],
  ['h', HOUR_MS],
  ['m', MINUTE_MS],
  ['s', SECOND_MS],
  ['ms', 1],
] as const;

const SIZE = /^(?<amount>\d+(?:\.\d+)?)\s*(?:(?<prefix>[kmgt])(?:i?b)?|b)?$/i;
const TIME = /^(?<amount>\d+(?:\.\d+)?)\s*(?<unit>ms|s|m|h|d)$/i;

const SIZE_REMEDY = 'Write a size such as 512kb, 10mb or 1gb';
const TIME_REMEDY = 'Write a time such as 100ms, 30s, 5m or 0';

/** Units are powers of 1024, whether written `mb`, `MiB` or `m`; a number alone is bytes. */
export function parseBytes(text: string): Parsed<number> {
  const groups = SIZE.exec(text)?.groups;
  if (groups === undefined) return wrong('is not a size', SIZE_REMEDY);
  const unit = `${groups['prefix'] ?? ''}b`.toLowerCase();
  const amount = Math.round(Number(groups['amount']) * factorOf(SIZE_UNITS, unit));
  if (!Number.isSafeInteger(amount)) return wrong('is too large to count', SIZE_REMEDY);
  return parsed(amount);
}

/** A number without a unit is refused, except 0: `30` could mean seconds or milliseconds. */
export function parseDuration(text: string): Parsed<number> {
  if (/^0+$/.test(text)) return parsed(0);
  if (/^\d+(\.\d+)?$/.test(text)) {
    return wrong('has no unit', `Write ${text}s for seconds or ${text}ms for milliseconds`);
  }
  const groups = TIME.exec(text)?.groups;
  if (groups === undefined) return wrong('is not a time', TIME_REMEDY);
  return parsed(Math.round(Number(groups['amount']) * factorOf(TIME_UNITS, groups['unit'] ?? '')));
}

export function formatBytes(amount: number): string {
  return format(SIZE_UNITS, amount);
}

export function formatDuration(ms: number): string {
  return ms === 0 ? '0' : format(TIME_UNITS, ms);
}

type Units = readonly (readonly [name: string, factor: number])[];

function factorOf(units: Units, name: string): number {
  return units.find(([unit]) => unit === name.toLowerCase())?.[1] ?? 1;
}

function format(units: Units, amount: number): string {
  for (const [unit, factor] of units) {
    if (amount !== 0 && amount % factor === 0) return `${amount / factor}${unit}`;
  }
  return '0';
}

/** Without Intl.NumberFormat, whose first use loads the locale's data: a tenth of the time that a start takes. */
export function grouped(value: number): string {
  return String(value).replaceAll(/(?<!\.\d*)\B(?=(?:\d{3})+(?!\d))/g, ',');
}

export function count(value: number, noun: string): string {
  return `${grouped(value)} ${noun}${value === 1 ? '' : 's'}`;
}

export function bytes(value: number): string {
  return count(value, 'byte');
}

const KB = 1000;
const MB = 1000 * KB;

/** `3.1 MB`, `51.2 kB`, `230 bytes`. */
export function roundedBytes(value: number): string {
  if (value >= MB) return `${(value / MB).toFixed(1)} MB`;
  return value >= 10 * KB ? `${(value / KB).toFixed(1)} kB` : bytes(value);
}

/** `250 ms`, `10 s`, `2.5 s`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return `${grouped(Math.round(ms / 100) / 10)} s`;
}
