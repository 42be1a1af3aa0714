/** The command line of `lastbyte init`. */

import type { Fault } from '../../config/fault.ts';
import type { Target } from '../../config/settings.ts';
import { parseTarget } from '../../config/target.ts';
import { lineFault, surplusFaults, switchFaults } from '../line-faults.ts';
import { splitLine } from '../split-line.ts';

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

const SWITCHES = ['compose', 'force'];

/** @param argv what stands behind the word `init` */
export function parseInitLine(argv: readonly string[]): InitLine {
  const { words, help, flags } = splitLine(argv, SWITCHES);
  if (help) return { kind: 'help' };
  const [word, ...surplus] = words;
  const read = word === undefined ? null : parseTarget(word.trim());
  const faults = [
    ...surplusFaults(surplus, 'Give at most one target'),
    ...switchFaults(flags, SWITCHES, 'init'),
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
  const { compose, force } = flags;
  return { kind: 'init', target: read?.value ?? null, compose: compose === true, force: force === true };
}
