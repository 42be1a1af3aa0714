/** What is wrong with one value of the configuration, so that the reader can mend it without a second question. */

import { originText, type Origin } from './origin.ts';
import { withoutCredentials } from './target.ts';

export interface Fault {
  /** The option as it was written: `port`, or a name that is none. */
  readonly option: string;
  /** The value as it was written, without a password; null when the fault is not in a value. */
  readonly value: string | null;
  readonly origin: Origin;
  /** Continues `<option> <value> …`: the limit, or what was expected. */
  readonly problem: string;
  /** A sentence without its full stop. */
  readonly remedy: string;
}

const MAX_SHOWN_LENGTH = 80;

/** One line: `lastbyte.yaml:3: port "99999" is over the limit of 65535. Give 0 to 65535.` */
export function faultText(fault: Fault): string {
  const subject = namesOption(fault.origin) ? [] : [fault.option];
  const value = fault.value === null ? [] : [JSON.stringify(fault.value)];
  const sentence = [...subject, ...value, fault.problem].join(' ');
  const end = /[.?!]$/.test(fault.remedy) ? '' : '.';
  return `${originText(fault.origin)}: ${sentence}. ${fault.remedy}${end}`;
}

/** A raw value as it was written, short enough for a line. */
export function shown(raw: unknown): string {
  const text = withoutCredentials(Array.isArray(raw) ? raw.map(wordOf).join(', ') : wordOf(raw));
  return text.length > MAX_SHOWN_LENGTH ? `${text.slice(0, MAX_SHOWN_LENGTH)}…` : text;
}

function wordOf(raw: unknown): string {
  return typeof raw === 'string' ? raw : (JSON.stringify(raw) ?? '');
}

/** A flag, a variable and a property are named after their option: saying it twice helps nobody. */
function namesOption(origin: Origin): boolean {
  return origin.kind !== 'file' && origin.kind !== 'default';
}
