/** What can be wrong with the shape of any command line. */

import type { Fault } from '../config/fault.ts';
import type { Origin } from '../config/origin.ts';

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
  return [lineFault({ kind: 'flag', name: '--config' }, problem, 'Give the path of one YAML or JSON file')];
}

export function configFile(config: unknown): string | null {
  return typeof config === 'string' && config !== '' ? config : null;
}
