/** What is wrong with an option, where it was set, and what to do; and the nearest known name for an unknown one. */

export type Origin =
  | { readonly kind: 'flag'; readonly name: string }
  | { readonly kind: 'argument'; readonly name: string }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'file'; readonly file: string; readonly line: number | null }
  | { readonly kind: 'property'; readonly name: string }
  /** A property of an entry, in an object with one entry per path. */
  | { readonly kind: 'entry'; readonly entry: string; readonly name: string }
  | { readonly kind: 'default' };

/** As it was written: `--port`, `LASTBYTE_PORT`, `lastbyte.yaml:3`, `options.port`. */
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
  /** The option as it was written: `port`, or an unknown name. */
  readonly option: string;
  /** The value as it was written, without a password; null when the fault is not in a value. */
  readonly value: string | null;
  readonly origin: Origin;
  /** Continues the sentence `<option> <value> …`. */
  readonly problem: string;
  /** A sentence without its full stop. */
  readonly remedy: string;
}

/** `problem` continues the sentence `"<value>" …`; `remedy` is a sentence of its own, without its full stop. */
export type Parsed<T> =
  | { readonly kind: 'value'; readonly value: T }
  | { readonly kind: 'wrong'; readonly problem: string; readonly remedy: string };

export function parsed<T>(value: T): Parsed<T> {
  return { kind: 'value', value };
}

export function wrong(problem: string, remedy: string): Parsed<never> {
  return { kind: 'wrong', problem, remedy };
}

const MAX_SHOWN_LENGTH = 80;

/** One line: `lastbyte.yaml:3: port "99999" is above the maximum of 65535. Use 0 to 65535.` */
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

/** Error messages must not show passwords. */
export function withoutCredentials(text: string): string {
  return text.replace(/^(?<scheme>[a-z][a-z0-9+.-]*:\/\/)?[^/?#]*@/i, '$<scheme>***@');
}

function wordOf(raw: unknown): string {
  return typeof raw === 'string' ? raw : (JSON.stringify(raw) ?? '');
}

/** The names of flags, variables and properties already contain the option's name. */
function namesOption(origin: Origin): boolean {
  return origin.kind !== 'file' && origin.kind !== 'default';
}

/** Why a file or a folder cannot be used, from the system's error: continues the sentence `<path> …`. */
export function pathProblem(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  return PATH_PROBLEMS.get(code) ?? `cannot be used (${code})`;
}

const PATH_PROBLEMS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'does not exist'],
  ['ENOTDIR', 'does not exist'],
  ['EACCES', 'is not accessible to this user'],
  ['EISDIR', 'is a folder'],
  ['EROFS', 'is read-only'],
]);

/** Everything that is wrong: in `faults`, and one per line in `message`. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'ERR_LASTBYTE_CONFIG';
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[]) {
    super(faults.map(faultText).join('\n'));
    this.faults = faults;
  }
}

/** Shorter beginnings match by chance. */
const MIN_BEGINNING_LENGTH = 4;

/** The closest of `names`; null: none is close enough for a guess. */
export function nearestName(written: string, names: readonly string[]): string | null {
  return bySpelling(plain(written), names) ?? byBeginning(plain(written), names);
}

function bySpelling(written: string, names: readonly string[]): string | null {
  const ranked = names
    .map((name) => ({ name, distance: editDistance(written, plain(name)) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  if (best === undefined) return null;
  return best.distance <= tolerance(best.name) ? best.name : null;
}

/** `tls-certificate` for `tls-cert`, `shutdown` for `shutdown-timeout`, if only one name fits. */
function byBeginning(written: string, names: readonly string[]): string | null {
  if (written.length < MIN_BEGINNING_LENGTH) return null;
  const longer = names.filter((name) => plain(name).startsWith(written));
  const shorter = names
    .filter((name) => plain(name).length >= MIN_BEGINNING_LENGTH && written.startsWith(plain(name)))
    .sort((a, b) => b.length - a.length);
  const fitting = longer.length > 0 ? longer : shorter.slice(0, 1);
  return fitting.length === 1 ? (fitting[0] ?? null) : null;
}

/** `bodyHold`, `BODY_HOLD` and `body-hold` are one name in three spellings. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

/** One typo for every three letters, at most three: with more, a guess would mislead. */
function tolerance(name: string): number {
  return Math.min(3, Math.max(1, Math.floor(name.length / 3)));
}

/** Optimal string alignment: insert, delete, replace, or swap two neighbours. */
function editDistance(a: string, b: string): number {
  let beforeLast: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row: number[] = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = at(last, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? at(beforeLast, j - 2) + 1 : Infinity;
      row.push(Math.min(replaced, swapped, at(last, j) + 1, at(row, j - 1) + 1));
    }
    beforeLast = last;
    last = row;
  }
  return at(last, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity;
}
