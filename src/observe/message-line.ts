/** A message of the program itself as text: a plain line, or a line of JSON. */

import type { LogLevel } from '../config/settings.ts';
import { isSecretName } from '../http/secret-names.ts';
import { clockTime } from './exchange-line.ts';
import { paint } from './paint.ts';
import type { Paint } from './paint.ts';
import { printable, printableJson } from './printable.ts';
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
