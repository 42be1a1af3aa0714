/** Raw values from the command line, the environment and a program, each with its option and its origin; and unknown names. */

import { nearestName, originText, shown } from './fault.ts';
import type { Fault, Origin } from './fault.ts';
import { CONFIG_VARIABLE, optionNamed, OPTIONS } from './options.ts';
import type { AnyOption } from './options.ts';
import type { ProxyOptions } from './proxy-options.ts';

export interface RawValue {
  readonly option: AnyOption;
  readonly raw: unknown;
  readonly origin: Origin;
}

/** The values of one source, and a fault for each unknown name. */
export interface Collected {
  readonly values: readonly RawValue[];
  readonly faults: readonly Fault[];
}

export function collect(entries: readonly (RawValue | Fault | null)[]): Collected {
  const known = entries.filter((entry) => entry !== null);
  return {
    values: known.filter((entry) => 'raw' in entry),
    faults: known.filter((entry) => 'problem' in entry),
  };
}

/**
 * Unknown names were reported when the line was read.
 *
 * @param flags by name without the dashes; a switch is true or false, and a flag without a value is true
 * @param target the argument without a flag
 */
export function collectFlags(flags: Readonly<Record<string, unknown>>, target: string | null): Collected {
  const fromFlags = Object.entries(flags).map(([name, raw]) => collectFlag(name, raw));
  const { values, faults } = collect([collectArgument(target), ...fromFlags]);
  return { values, faults: [...faults, ...givenTwice(values)] };
}

function collectArgument(raw: string | null): RawValue | null {
  const option = optionNamed('target');
  if (raw === null || option === undefined) return null;
  return { option, raw, origin: { kind: 'argument', name: 'target' } };
}

function collectFlag(name: string, raw: unknown): RawValue | null {
  const option = optionNamed(name);
  if (raw === undefined || option === undefined) return null;
  const isSwitch = option.type.arity === 'switch';
  const origin = { kind: 'flag', name: isSwitch && raw === false ? `--no-${name}` : `--${name}` } as const;
  return { option, raw: raw === true && !isSwitch ? '' : raw, origin };
}

/** The target as an argument and as a flag: neither can win. */
function givenTwice(given: readonly RawValue[]): readonly Fault[] {
  return given.flatMap(({ option, raw, origin }, index) => {
    const first = given.slice(0, index).find((other) => other.option === option);
    if (first === undefined) return [];
    const problem = `conflicts with ${originText(first.origin)} ${shown(first.raw)}`;
    return [{ option: option.name, value: shown(raw), origin, problem, remedy: 'Keep one of them' }];
  });
}

const PREFIX = 'LASTBYTE_';

/**
 * Kubernetes and `docker --link` set variables of these names for a service named "lastbyte" (Kubernetes documentation,
 * "Accessing the Service", environment variables).
 */
const SERVICE_LINK =
  /^LASTBYTE_(SERVICE_(HOST|PORT(_.+)?)|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?|NAME|ENV_.+)$/;
const SERVICE_LINK_PORT = /^(tcp|udp|sctp):\/\//;

const VARIABLES: Vocabulary = {
  spelling: 'variable',
  noun: 'variable',
  others: [CONFIG_VARIABLE],
  turnOff: (variable) => `${variable}=false`,
  list: 'Every flag of lastbyte --help has a variable: --body-hold is LASTBYTE_BODY_HOLD',
};

/** An empty variable is ignored: `LASTBYTE_PORT=${PORT:-}` in a compose file means the default. */
export function collectVariables(env: NodeJS.ProcessEnv): Collected {
  const ours = Object.entries(env).filter(([name]) => name.startsWith(PREFIX) && name !== CONFIG_VARIABLE);
  return collect(ours.map(([name, raw]) => collectVariable(name, raw ?? '')));
}

function collectVariable(name: string, raw: string): RawValue | Fault | null {
  if (SERVICE_LINK.test(name)) return null;
  if (name === `${PREFIX}PORT` && SERVICE_LINK_PORT.test(raw)) return null;
  const entry = entryOf(name, raw, { kind: 'variable', name }, VARIABLES);
  return 'raw' in entry && raw.trim() === '' ? null : entry;
}

const PROPERTIES: Vocabulary = {
  spelling: 'property',
  noun: 'property',
  turnOff: (property) => `${property}: false`,
  list: 'ProxyOptions lists all options',
};

/** A program without types may pass anything, so unknown properties are faults here too. */
export function collectProperties(options: ProxyOptions): Collected {
  return collect(Object.entries(options).map(([name, raw]: [string, unknown]) => collectProperty(name, raw)));
}

function collectProperty(name: string, raw: unknown): RawValue | Fault | null {
  if (raw === undefined) return null;
  const entry = entryOf(name, raw, { kind: 'property', name }, PROPERTIES);
  return 'raw' in entry ? { ...entry, raw: inUnit(entry.option, raw) } : entry;
}

/** In a program a number is ms, as in Node; elsewhere a time needs its unit. */
function inUnit(option: AnyOption, raw: unknown): unknown {
  return option.type.unit === 'ms' && typeof raw === 'number' ? `${raw}ms` : raw;
}

/** The names of options in one source, and what is said of an unknown one. */
export interface Vocabulary {
  readonly spelling: 'name' | 'variable' | 'property';
  /** What such a name is called. */
  readonly noun: string;
  /** Known names of this source that are not options. */
  readonly others?: readonly string[];
  /** How to turn a switch off in this source. */
  readonly turnOff: (name: string) => string;
  /** Where to find all names. */
  readonly list: string;
}

/** A value for the option of this name, or a fault if there is none. */
export function entryOf(
  name: string,
  raw: unknown,
  origin: Origin,
  vocabulary: Vocabulary,
): RawValue | Fault {
  const option = OPTIONS.find((candidate) => candidate[vocabulary.spelling] === name);
  if (option !== undefined) return { option, raw, origin };
  const problem = `is not a ${vocabulary.noun} of lastbyte`;
  return { option: name, value: null, origin, problem, remedy: remedyFor(name, vocabulary) };
}

function remedyFor(name: string, { spelling, others = [], turnOff, list }: Vocabulary): string {
  const plain = name.toLowerCase().replaceAll('_', '-');
  const negated = OPTIONS.find(
    (option) => option.type.arity === 'switch' && plain.endsWith(`no-${option.name}`),
  );
  if (negated !== undefined) return `To turn it off, write ${turnOff(negated[spelling])}`;
  const nearest = nearestName(name, [...OPTIONS.map((option) => option[spelling]), ...others]);
  return nearest === null ? list : `Did you mean ${nearest}?`;
}
