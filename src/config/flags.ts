/** Values from the command line. */

import { originText, shown } from './fault.ts';
import type { Fault } from './fault.ts';
import { gather, type Gathered, type Gathering, type Given } from './given.ts';
import { optionNamed } from './option-table.ts';
import type { AnyOption } from './option-type.ts';
import { unknownName } from './unknown-name.ts';

/** Flags that are the program's and no settings; named here so that a misspelt one is recognized. */
const OTHER_FLAGS = ['--config', '--json', '--help', '--version'];

/** `flags` by their names without the dashes; `target` is the argument that stands without a flag. */
export function gatherFlags(flags: Readonly<Record<string, unknown>>, target: string | null): Gathered {
  const fromFlags = Object.entries(flags).map(([name, raw]) => gatherFlag(name, raw));
  const { given, faults } = gather([gatherArgument(target), ...fromFlags]);
  return { given, faults: [...faults, ...givenTwice(given)] };
}

function gatherArgument(raw: string | null): Gathering | null {
  const option = optionNamed('target');
  if (raw === null || option === undefined) return null;
  return { kind: 'given', given: { option, raw, origin: { kind: 'argument', name: 'target' } } };
}

function gatherFlag(name: string, raw: unknown): Gathering | null {
  if (raw === undefined) return null;
  const flag = name.length === 1 ? `-${name}` : `--${name}`;
  const origin = { kind: 'flag', name: flag } as const;
  const option = optionNamed(name);
  // A flag at the end of the line or before another flag is parsed as `true`: its value is missing.
  if (option !== undefined) {
    const value = raw === true && option.kind.arity !== 'switch' ? '' : raw;
    return { kind: 'given', given: { option, raw: value, origin } };
  }
  const negated = negatedSwitch(name);
  if (negated !== undefined) return { kind: 'given', given: { option: negated, raw: opposite(raw), origin } };
  return {
    kind: 'fault',
    fault: unknownName({
      written: flag,
      origin,
      sort: 'flag',
      spell: (known) => `--${known}`,
      others: OTHER_FLAGS,
      turnOff: (known) => `--no-${known}`,
      list: 'lastbyte --help lists all flags',
    }),
  };
}

function negatedSwitch(name: string): AnyOption | undefined {
  const option = name.startsWith('no-') ? optionNamed(name.slice('no-'.length)) : undefined;
  return option?.kind.arity === 'switch' ? option : undefined;
}

/** `--no-admin=false` turns it on; anything that is no switch's value stays as it is, to be refused. */
function opposite(raw: unknown): unknown {
  if (raw === true || raw === 'true') return false;
  if (raw === false || raw === 'false') return true;
  return raw;
}

/** The target as argument and as flag, or `--admin` with `--no-admin`: neither can be meant to win. */
function givenTwice(given: readonly Given[]): readonly Fault[] {
  return given.flatMap(({ option, raw, origin }, index) => {
    const first = given.slice(0, index).find((other) => other.option === option);
    if (first === undefined) return [];
    const isSwitch = option.kind.arity === 'switch';
    const other = isSwitch ? originText(first.origin) : `${originText(first.origin)} ${shown(first.raw)}`;
    return [
      {
        option: option.name,
        value: isSwitch ? null : shown(raw),
        origin,
        problem: `comes on top of ${other}`,
        remedy: 'Keep one of them',
      },
    ];
  });
}
