/** What is wrong with one value of the configuration, where it came from, and all that is wrong as one error. */

import { withoutCredentials } from './target.ts';

export type Origin =
  | { readonly kind: 'flag'; readonly name: string }
  | { readonly kind: 'argument'; readonly name: string }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'file'; readonly file: string; readonly line: number | null }
  | { readonly kind: 'property'; readonly name: string }
  /** Of an object with an entry for each path. */
  | { readonly kind: 'entry'; readonly entry: string; readonly name: string }
  | { readonly kind: 'default' };

/** As a person would look for it: `--port`, `LASTBYTE_PORT`, `lastbyte.yaml:3`, `options.port`. */
export function originText(origin: Origin): string {
  switch (origin.kind) {
    case 'flag':
      return origin.name;
    case 'argument':
      return `argument ${origin.name}`;
    case 'variable':
      return origin.name;
    case 'file':
      return origin.line === null ? origin.file : `${origin.file}:${origin.line}`;
    case 'property':
      return `options.${origin.name}`;
    case 'entry':
      return `"${origin.entry}".${origin.name}`;
    case 'default':
      return 'default';
  }
}

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

/** All that is wrong, at once: in `faults`, and one a line in `message`. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'ERR_LASTBYTE_CONFIG';
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[]) {
    super(faults.map(faultText).join('\n'));
    this.faults = faults;
  }
}
