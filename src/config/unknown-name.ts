/** The fault of a name that is no option's, with the name that was probably meant. */

import type { Fault, Origin } from './fault.ts';
import { nearestName } from './nearest.ts';
import { OPTIONS } from './option-table.ts';
import type { OptionName } from './option-type.ts';

interface UnknownName {
  readonly written: string;
  readonly origin: Origin;
  /** What such a name is called: `key`, `flag`, `variable`. */
  readonly sort: string;
  /** An option's name as it is spelt in this source. */
  readonly spell: (name: OptionName) => string;
  /** Names of this source that are no options. */
  readonly others: readonly string[];
  /** How a switch is turned off in this source. */
  readonly turnOff: (name: OptionName) => string;
  /** Where to find the names that there are. */
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

function remedyFor({ written, spell, others, turnOff, list }: UnknownName): string {
  const negated = OPTIONS.find(
    (option) => option.kind.arity === 'switch' && plain(written).endsWith(`no-${option.name}`),
  );
  if (negated !== undefined) return `To turn it off, write ${turnOff(negated.name)}`;
  const nearest = nearestName(written, [...OPTIONS.map(({ name }) => spell(name)), ...others]);
  return nearest === null ? list : `Did you mean ${nearest}?`;
}

function plain(written: string): string {
  return written.toLowerCase().replaceAll('_', '-');
}
