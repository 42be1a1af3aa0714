/** One exchange as text: a line for a person, a line of JSON, or a line of Apache's combined log. */

import type { LogLevel } from '../config/settings.ts';
import type { ExchangeRecord } from '../exchange/events.ts';
import { paint } from './paint.ts';
import type { Paint } from './paint.ts';
import { printable, printableJson, quoted } from './printable.ts';
import { redactFields, redactUrl } from './redact.ts';

/** How much an operator should care: what the upstream or we did wrong is a warning, what a client did is not. */
export function exchangeLevel(record: ExchangeRecord): LogLevel {
  if (record.error === 'internal_error') return 'error';
  if (record.outcome === 'cut') return 'warn';
  return record.outcome === 'refused' && record.status >= 500 ? 'warn' : 'info';
}

/** Names that programs may rely on; see docs on logs. */
export function jsonLine(record: ExchangeRecord): string {
  return printableJson(
    JSON.stringify({
      time: new Date(record.startedAt + record.durationMs).toISOString(),
      level: exchangeLevel(record),
      event: 'exchange',
      id: record.id,
      client: record.clientAddress,
      method: record.method,
      path: redactUrl(record.url),
      status: record.status,
      bytes: record.responseBytes,
      ms: Math.round(record.durationMs * 10) / 10,
      tries: record.attempts.length,
      waited_ms: Math.round(record.waitedMs),
      verdict: record.verdict,
      outcome: record.outcome,
      error: record.error,
      why: record.sentence,
    }),
  );
}

const PATH_COLUMNS = 36;

/** `12:00:00.000  GET     /report    200   4.8 MiB     12 ms  3 tries`, and beneath it, why. */
export function prettyLine(record: ExchangeRecord, color: boolean): string {
  const level = exchangeLevel(record);
  const columns = [
    paint(clockTime(record.startedAt + record.durationMs), 'dim', color),
    printable(record.method).padEnd(7),
    printable(redactUrl(record.url)).padEnd(PATH_COLUMNS),
    paint(record.status === 0 ? '---' : String(record.status), statusPaint(record.status), color),
    formatBytes(record.responseBytes).padStart(9),
    formatMs(record.durationMs).padStart(9),
  ];
  const remarks = exchangeRemarks(record).join(', ');
  if (remarks !== '') columns.push(paint(remarks, LEVEL_PAINTS[level], color));
  const line = columns.join('  ');
  if (record.sentence === null) return line;
  return `${line}\n${' '.repeat(14)}${paint(printable(record.sentence), LEVEL_PAINTS[level], color)}`;
}

/** https://httpd.apache.org/docs/2.4/logs.html#combined, times in UTC. */
export function combinedLine(record: ExchangeRecord): string {
  const { clientAddress, startedAt, method, url, httpVersion, status, responseBytes } = record;
  const fields = redactFields(record.requestFields);
  return [
    printable(clientAddress).replaceAll(' ', '') || '-',
    '- -',
    `[${apacheTime(startedAt)}]`,
    quoted(`${method} ${redactUrl(url)} HTTP/${httpVersion}`),
    String(status).padStart(3, '0'),
    responseBytes === 0 ? '-' : String(responseBytes),
    quoted(fieldOrDash(fields, 'referer')),
    quoted(fieldOrDash(fields, 'user-agent')),
  ].join(' ');
}

const LEVEL_PAINTS: Readonly<Record<LogLevel, Paint>> = {
  error: 'red',
  warn: 'yellow',
  info: 'cyan',
  debug: 'dim',
};

function statusPaint(status: number): Paint {
  if (status >= 500 || status === 0) return 'red';
  if (status >= 400) return 'yellow';
  return status >= 300 ? 'cyan' : 'green';
}

/** What is out of the ordinary about the exchange. */
function exchangeRemarks({ attempts, waitedMs, verdict, outcome }: ExchangeRecord): string[] {
  const remarks: string[] = [];
  if (attempts.length > 1) remarks.push(`${attempts.length} tries`);
  if (waitedMs > 0) remarks.push(`waited ${formatMs(waitedMs)}`);
  if (verdict !== null && verdict !== 'complete') remarks.push(verdict);
  if (outcome !== 'delivered' && outcome !== verdict) remarks.push(outcome);
  return remarks;
}

function fieldOrDash(fields: readonly string[], name: string): string {
  const at = fields.findIndex((text, index) => index % 2 === 0 && text.toLowerCase() === name);
  return (at < 0 ? undefined : fields[at + 1]) ?? '-';
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** Local, because a person compares it with a clock on the wall. */
export function clockTime(epochMs: number): string {
  const at = new Date(epochMs);
  const ms = String(at.getMilliseconds()).padStart(3, '0');
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${ms}`;
}

/** `22/Nov/2026:13:05:09 +0000` */
function apacheTime(epochMs: number): string {
  const [, day = '', month = '', year = '', time = ''] = new Date(epochMs).toUTCString().split(' ');
  return `${day}/${month}/${year}:${time} +0000`;
}

function formatMs(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  return ms < 10_000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

const BYTE_UNITS: readonly string[] = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const power = Math.min(Math.floor(Math.log2(bytes) / 10), BYTE_UNITS.length);
  return `${(bytes / 1024 ** power).toFixed(1)} ${BYTE_UNITS[power - 1] ?? ''}`;
}
