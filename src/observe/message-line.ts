/** What the program itself says, as text: the banner that the log begins with, and messages, as plain lines or as JSON. */

import type { LogLevel } from '../config/settings.ts';
import { isSecretName } from '../http/quoted.ts';
import { clockTime } from './exchange-line.ts';
import { paint, printable, printableJson } from './terminal-text.ts';
import type { Paint } from './terminal-text.ts';
import { REDACTED } from './redact-members.ts';

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

/** The names of the exchange's line come first, and no field of a message can take their place. */
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

/** Total: what JSON cannot say (a circle, a getter that throws) is named instead. */
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

/** What the log begins with: who speaks, and where to look. */
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

/** For a terminal: the addresses beneath each other, to be clicked. */
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
