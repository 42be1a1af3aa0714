/** The command line of `lastbyte init`. */

import { parseArgs } from 'node:util';
import type { Fault } from '../../config/fault.ts';
import type { Target } from '../../config/settings.ts';
import { parseTarget } from '../../config/target.ts';
import { lineFault, surplusFaults, switchFaults } from '../line-faults.ts';

export type InitLine =
  | { readonly kind: 'help' }
  | { readonly kind: 'faults'; readonly faults: readonly Fault[] }
  | {
      readonly kind: 'init';
      /** Null: to be found out. */
      readonly target: Target | null;
      readonly compose: boolean;
      readonly force: boolean;
    };

const INIT_SWITCHES = {
  compose: { type: 'boolean' },
  force: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** @param argv what stands behind the word `init` */
export function parseInitLine(argv: readonly string[]): InitLine {
  const { values, positionals } = parseArgs({ args: [...argv], options: INIT_SWITCHES, strict: false });
  if (values.help === true) return { kind: 'help' };
  const [word, ...surplus] = positionals;
  const read = word === undefined ? null : parseTarget(word.trim());
  const faults = [
    ...surplusFaults(surplus, 'Give at most one target'),
    ...switchFaults(values, Object.keys(INIT_SWITCHES), 'init'),
    ...(read?.kind === 'wrong'
      ? [
          {
            ...lineFault({ kind: 'argument', name: 'target' }, read.problem, read.remedy),
            value: word ?? null,
          },
        ]
      : []),
  ];
  if (read?.kind === 'wrong' || faults.length > 0) return { kind: 'faults', faults };
  const { compose, force } = values;
  return { kind: 'init', target: read?.value ?? null, compose: compose === true, force: force === true };
}
