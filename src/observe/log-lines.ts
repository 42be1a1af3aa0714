/** The lines of the log, as text or JSON: exchanges, messages and the banner. */

import type { LogLevel } from '../config/settings.ts';
import type { ExchangeRecord } from '../exchange/events.ts';
import { fieldValue } from '../http/fields.ts';
import { isSecretName } from '../http/quoted.ts';
import { REDACTED, redactField, redactUrl } from './redact.ts';
import { severityOf } from './severity.ts';
import type { Severity } from './severity.ts';
import { paint, printable, printableJson, quoted } from './terminal-text.ts';
import type { Paint } from './terminal-text.ts';

/** Faults of the upstream and of lastbyte are warnings; those of clients are not. */
export function exchangeLevel(record: ExchangeRecord): LogLevel {
  if (record.error === 'internal_error') return 'error';
  if (record.outcome === 'cut') return 'warn';
  return record.outcome === 'refused' && record.status >= 500 ? 'warn' : 'info';
}

/** Programs may rely on its names; see docs/logs.md. Built by hand: JSON.stringify of an object takes twice as long. */
export function jsonLine(record: ExchangeRecord): string {
  const { id, status, responseBytes, durationMs, attempts, waitedMs, verdict, outcome, error } = record;
  return (
    `{"time":"${isoTime(record.startedAt + durationMs)}","level":"${exchangeLevel(record)}","event":"exchange","id":"${id}",` +
    `"client":${jsonText(record.clientAddress)},"method":${jsonText(record.method)},"path":${jsonText(redactUrl(record.url))},` +
    `"status":${status},"bytes":${responseBytes},"ms":${Math.round(durationMs * 10) / 10},"tries":${attempts.length},` +
    `"waited_ms":${Math.round(waitedMs)},"verdict":${jsonName(verdict)},"outcome":"${outcome}","severity":"${severityOf(record)}",` +
    `"error":${jsonName(error)},"why":${jsonText(record.sentence)}}`
  );
}

/** Text from the network, or a sentence that may quote it. */
function jsonText(text: string | null): string {
  return text === null ? 'null' : printableJson(JSON.stringify(text));
}

/** One of our own fixed names. */
function jsonName(name: string | null): string {
  return name === null ? 'null' : `"${name}"`;
}

const SECOND_MS = 1000;
/** The last second that was formatted: under load, most lines are in the same one. */
let second = { epoch: Number.NaN, text: '' };

/** Like Date's `toISOString`: `2026-11-22T13:05:09.123Z`. */
function isoTime(epochMs: number): string {
  const wholeMs = Math.trunc(epochMs);
  const epoch = Math.floor(wholeMs / SECOND_MS);
  if (epoch !== second.epoch)
    second = { epoch, text: new Date(epoch * SECOND_MS).toISOString().slice(0, -4) };
  return `${second.text}${String(wholeMs - epoch * SECOND_MS).padStart(3, '0')}Z`;
}

const SENTENCE_INDENT = ' '.repeat(15);

/**
 * `12:00:00.000 + 200    4.8 MiB     12 ms  GET     /report  saved: 3 attempts`, and the reason below. Columns of a fixed width
 * come first, so that a long path moves nothing. The mark shows the severity without colors.
 */
export function prettyLine(record: ExchangeRecord, color: boolean): string {
  const { mark, look } = LOOKS[severityOf(record)];
  const head = paint(clockTime(record.startedAt + record.durationMs), 'dim', color);
  const columns = [
    paint(record.status === 0 ? '---' : String(record.status), statusPaint(record.status), color),
    formatBytes(record.responseBytes).padStart(9),
    formatMs(record.durationMs).padStart(8),
    printable(record.method).padEnd(6),
    printable(redactUrl(record.url)),
  ];
  const remarks = exchangeRemarks(record);
  if (remarks !== '') columns.push(paint(remarks, look, color));
  const line = `${head} ${paint(mark, look, color)} ${columns.join('  ')}`;
  if (record.sentence === null) return line;
  return `${line}\n${SENTENCE_INDENT}${paint(printable(record.sentence), look, color)}`;
}

const LOOKS: Readonly<Record<Severity, { readonly mark: string; readonly look: Paint }>> = {
  ok: { mark: ' ', look: 'dim' },
  saved: { mark: '+', look: 'green' },
  noted: { mark: '~', look: 'yellow' },
  client: { mark: '-', look: 'cyan' },
  problem: { mark: '!', look: 'red' },
};

/** https://httpd.apache.org/docs/2.4/logs.html#combined, times in UTC. */
export function combinedLine(record: ExchangeRecord): string {
  const { clientAddress, startedAt, method, url, httpVersion, status, responseBytes } = record;
  return [
    printable(clientAddress).replaceAll(' ', '') || '-',
    '- -',
    `[${apacheTime(startedAt)}]`,
    quoted(`${method} ${redactUrl(url)} HTTP/${httpVersion}`),
    String(status).padStart(3, '0'),
    responseBytes === 0 ? '-' : String(responseBytes),
    quoted(shownField(record, 'referer')),
    quoted(shownField(record, 'user-agent')),
  ].join(' ');
}

function statusPaint(status: number): Paint {
  if (status >= 500 || status === 0) return 'red';
  if (status >= 400) return 'yellow';
  return status >= 300 ? 'cyan' : 'green';
}

/** What is unusual about the exchange: one word, and details. */
function exchangeRemarks(record: ExchangeRecord): string {
  const { attempts, waitedMs, verdict, outcome } = record;
  const word = severityOf(record) === 'saved' ? 'saved' : outcome === 'delivered' ? '' : outcome;
  const details: string[] = [];
  if (attempts.length > 1) details.push(`${attempts.length} attempts`);
  if (waitedMs > 0) details.push(`waited ${formatMs(waitedMs)}`);
  if (verdict !== null && verdict !== 'complete' && verdict !== outcome) details.push(verdict);
  return [word, details.join(', ')].filter((part) => part !== '').join(': ');
}

function shownField({ requestFields }: ExchangeRecord, name: string): string {
  const value = fieldValue(requestFields, name);
  return value === undefined ? '-' : redactField(name, value);
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** Local time, because people compare it with their clock. */
function clockTime(epochMs: number): string {
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

export type LogFields = Readonly<Record<string, unknown>>;

export interface Message {
  readonly at: number;
  readonly level: LogLevel;
  readonly text: string;
  readonly fields: LogFields;
}

const PAINTS: Readonly<Record<LogLevel, Paint>> = {
  error: 'red',
  warn: 'yellow',
  info: 'green',
  debug: 'dim',
};

/** `12:00:00.000  warn   The text  name=value other="two words"` */
export function plainMessage({ at, level, text, fields }: Message, color: boolean): string {
  const pairs = Object.entries(fields).map(([name, value]) => `  ${printable(name)}=${brief(name, value)}`);
  const head = `${paint(clockTime(at), 'dim', color)}  ${paint(level.padEnd(5), PAINTS[level], color)}`;
  return `${head}  ${printable(text)}${pairs.join('')}`;
}

/** The same names as in the line of an exchange come first, and no field of a message can replace them. */
export function jsonMessage({ at, level, text, fields }: Message): string {
  const own = { time: new Date(at).toISOString(), level, event: 'message', message: text };
  return printableJson(toJson({ ...own, ...fields, ...own }));
}

function brief(name: string, value: unknown): string {
  if (isSecretName(name)) return REDACTED;
  if (typeof value === 'string')
    return /^[^\s"=]+$/.test(value) ? printable(value) : printableJson(JSON.stringify(value));
  return printableJson(toJson(value));
}

/** Never throws: what JSON cannot express (a cycle, a getter that throws) is named instead. */
function toJson(value: unknown): string {
  try {
    return JSON.stringify(value, replace) ?? 'null';
  } catch (error) {
    return JSON.stringify({ unwritable: error instanceof Error ? error.message : 'unknown' });
  }
}

function replace(name: string, value: unknown): unknown {
  if (isSecretName(name)) return REDACTED;
  if (typeof value === 'bigint') return String(value);
  if (!(value instanceof Error)) return value;
  return {
    name: value.name,
    message: value.message,
    ...('code' in value ? { code: value.code } : {}),
    stack: value.stack,
  };
}

/** The first lines of the log: version and addresses. */
export interface Banner {
  readonly version: string;
  /** Where clients reach the proxy. */
  readonly url: string;
  readonly target: string;
  /** Null: no admin listener. */
  readonly adminUrl: string | null;
}

/** In one line, for a file or a pipe. */
export function bannerSentence({ version, url, target, adminUrl }: Banner): string {
  const admin = adminUrl === null ? '' : `, admin ${adminUrl}`;
  return `lastbyte ${version}: ${url} -> ${target}${admin}`;
}

/** For a terminal: the addresses below each other, to click. */
export function bannerBlock({ version, url, target, adminUrl }: Banner, color: boolean): string {
  const lines: [name: string, address: string][] = [
    ['proxy', url],
    ['upstream', target],
    ...(adminUrl === null ? [] : [['inspector', adminUrl] satisfies [string, string]]),
  ];
  const addresses = lines.map(
    ([name, address]) => `  ${paint(name.padEnd(9), 'dim', color)}  ${paint(address, 'cyan', color)}`,
  );
  return ['', `  ${paint('lastbyte', 'bold', color)} ${version}`, '', ...addresses, ''].join('\n');
}

export function bannerJson(banner: Banner, at: number): string {
  const { version, url, target, adminUrl } = banner;
  return printableJson(
    JSON.stringify({
      time: new Date(at).toISOString(),
      level: 'info',
      event: 'start',
      message: bannerSentence(banner),
      version,
      url,
      target,
      admin: adminUrl,
    }),
  );
}
