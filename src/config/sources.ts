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

export type CollectedEntry =
  { readonly kind: 'value'; readonly value: RawValue } | { readonly kind: 'fault'; readonly fault: Fault };

export function collect(entries: readonly (CollectedEntry | null)[]): Collected {
  const values: RawValue[] = [];
  const faults: Fault[] = [];
  for (const entry of entries) {
    if (entry?.kind === 'value') values.push(entry.value);
    else if (entry?.kind === 'fault') faults.push(entry.fault);
  }
  return { values, faults };
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

function collectArgument(raw: string | null): CollectedEntry | null {
  const option = optionNamed('target');
  if (raw === null || option === undefined) return null;
  return { kind: 'value', value: { option, raw, origin: { kind: 'argument', name: 'target' } } };
}

function collectFlag(name: string, raw: unknown): CollectedEntry | null {
  const option = optionNamed(name);
  if (raw === undefined || option === undefined) return null;
  const isSwitch = option.type.arity === 'switch';
  const origin = { kind: 'flag', name: isSwitch && raw === false ? `--no-${name}` : `--${name}` } as const;
  return { kind: 'value', value: { option, raw: raw === true && !isSwitch ? '' : raw, origin } };
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

/** An empty variable is ignored: `LASTBYTE_PORT=${PORT:-}` in a compose file means the default. */
export function collectVariables(env: NodeJS.ProcessEnv): Collected {
  const ours = Object.entries(env).filter(([name]) => name.startsWith(PREFIX) && name !== CONFIG_VARIABLE);
  return collect(ours.map(([name, raw]) => collectVariable(name, raw ?? '')));
}

function collectVariable(name: string, raw: string): CollectedEntry | null {
  if (SERVICE_LINK.test(name)) return null;
  if (name === `${PREFIX}PORT` && SERVICE_LINK_PORT.test(raw)) return null;
  const origin = { kind: 'variable', name } as const;
  const option = OPTIONS.find((candidate) => candidate.variable === name);
  if (option !== undefined)
    return raw.trim() === '' ? null : { kind: 'value', value: { option, raw, origin } };
  return {
    kind: 'fault',
    fault: unknownName({
      written: name,
      origin,
      sort: 'variable',
      spelling: 'variable',
      others: [CONFIG_VARIABLE],
      turnOff: ({ variable }) => `${variable}=false`,
      list: 'Every flag of lastbyte --help has a variable: --body-hold is LASTBYTE_BODY_HOLD',
    }),
  };
}

/** A program without types may pass anything, so unknown properties are faults here too. */
export function collectProperties(options: ProxyOptions): Collected {
  return collect(Object.entries(options).map(([name, raw]: [string, unknown]) => collectProperty(name, raw)));
}

function collectProperty(name: string, raw: unknown): CollectedEntry | null {
  if (raw === undefined) return null;
  const origin = { kind: 'property', name } as const;
  const option = OPTIONS.find((candidate) => candidate.property === name);
  if (option !== undefined) return { kind: 'value', value: { option, raw: inUnit(option, raw), origin } };
  return {
    kind: 'fault',
    fault: unknownName({
      written: name,
      origin,
      sort: 'property',
      spelling: 'property',
      others: [],
      turnOff: ({ property }) => `${property}: false`,
      list: 'ProxyOptions lists all options',
    }),
  };
}

/** In a program a number is ms, as in Node; elsewhere a time needs its unit. */
function inUnit(option: AnyOption, raw: unknown): unknown {
  return option.type.unit === 'ms' && typeof raw === 'number' ? `${raw}ms` : raw;
}

interface UnknownName {
  readonly written: string;
  readonly origin: Origin;
  /** What such a name is called. */
  readonly sort: string;
  /** Which spelling of an option's name this source uses. */
  readonly spelling: 'name' | 'variable' | 'property';
  /** Known names of this source that are not options. */
  readonly others: readonly string[];
  /** How to turn a switch off in this source. */
  readonly turnOff: (option: AnyOption) => string;
  /** Where to find all names. */
  readonly list: string;
}

export function unknownName(unknown: UnknownName): Fault {
  return {
    option: unknown.written,
    value: null,
    origin: unknown.origin,
    problem: `is not a ${unknown.sort} of lastbyte`,
    remedy: remedyFor(unknown),
  };
}

function remedyFor({ written, spelling, others, turnOff, list }: UnknownName): string {
  const negated = OPTIONS.find(
    (option) => option.type.arity === 'switch' && plain(written).endsWith(`no-${option.name}`),
  );
  if (negated !== undefined) return `To turn it off, write ${turnOff(negated)}`;
  const nearest = nearestName(written, [...OPTIONS.map((option) => option[spelling]), ...others]);
  return nearest === null ? list : `Did you mean ${nearest}?`;
}

function plain(written: string): string {
  return written.toLowerCase().replaceAll('_', '-');
}
