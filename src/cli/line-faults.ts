/** What can be wrong with the shape of any command line. */

import type { Fault, Origin } from '../config/fault.ts';
import { nearestName } from '../config/nearest.ts';

export function lineFault(origin: Extract<Origin, { name: string }>, problem: string, remedy: string): Fault {
  return { option: origin.name, value: null, origin, problem, remedy };
}

/** Words behind the last one that a command takes. */
export function surplusFaults(surplus: readonly string[], remedy: string): readonly Fault[] {
  return surplus.map((word) =>
    lineFault({ kind: 'argument', name: word }, 'is one argument too many', remedy),
  );
}

/** `config`: what was parsed behind `--config`. */
export function configFaults(config: unknown): readonly Fault[] {
  if (config === undefined || configFile(config) !== null) return [];
  const problem = Array.isArray(config) ? 'is given more than once' : 'has no value';
  return [lineFault(flagOrigin('config'), problem, 'Give the path of one YAML or JSON file')];
}

export function configFile(config: unknown): string | null {
  return typeof config === 'string' && config !== '' ? config : null;
}

/** Of a command that has switches alone: flags that it does not have, and switches that were given a value. */
export function switchFaults(
  flags: Readonly<Record<string, unknown>>,
  switches: readonly string[],
  command: string,
): readonly Fault[] {
  return Object.entries(flags).flatMap(([name, value]) => {
    if (!switches.includes(name)) return [unknownFlag(name, switches, command)];
    return value === true ? [] : [lineFault(flagOrigin(name), 'takes no value', 'Write it alone')];
  });
}

export function unknownFlag(name: string, known: readonly string[], command: string): Fault {
  const nearest = nearestName(name, known);
  const remedy =
    nearest === null ? `lastbyte ${command} --help lists all flags` : `Did you mean --${nearest}?`;
  return lineFault(flagOrigin(name), `is not a flag of lastbyte ${command}`, remedy);
}

export function flagOrigin(name: string): { readonly kind: 'flag'; readonly name: string } {
  return { kind: 'flag', name: name.length === 1 ? `-${name}` : `--${name}` };
}
