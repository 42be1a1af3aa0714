/** What can be written behind `lastbyte`: the words and flags that a shell completes, from the tables of options. */

import type { OptionType, Unit } from '../../config/option-type.ts';
import { OPTIONS } from '../../config/option-table.ts';
import { SCENARIOS } from '../../diagnose/scenarios.ts';
import { DIAGNOSE_OPTION_NAMES, DIAGNOSE_OPTIONS } from '../../diagnose/options.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;

export type FlagValue =
  | { readonly kind: 'none' }
  | { readonly kind: 'path' }
  | { readonly kind: 'words'; readonly words: readonly string[] }
  /** Nothing that a shell could guess. */
  | { readonly kind: 'text' };

export interface Flag {
  /** With its dashes. */
  readonly name: string;
  readonly purpose: string;
  readonly value: FlagValue;
  readonly repeats: boolean;
}

export interface CommandFlags {
  /** Null: none of the others. */
  readonly word: string | null;
  /** Whether it has the settings' flags, too. */
  readonly settings: boolean;
  readonly flags: readonly Flag[];
  /** What its first operand may be; null: an address, which no shell can guess. */
  readonly operands: readonly string[] | null;
}

const HELP = alone('--help', 'Show help.');
const VERSION = alone('--version', 'Show the version.');
const JSON_FLAG = alone('--json', 'Write JSON.');

/** The flags of the settings. */
export const SETTINGS_FLAGS: readonly Flag[] = [
  ...OPTIONS.flatMap(flagsOf),
  flag('--config', 'Read options from this YAML or JSON file.', { kind: 'path' }),
];

const DIAGNOSE_FLAGS: readonly Flag[] = [
  ...DIAGNOSE_OPTION_NAMES.flatMap((option) => flagsOf(DIAGNOSE_OPTIONS[option])).map((one) =>
    one.name === '--scenario'
      ? { ...one, value: { kind: 'words', words: SCENARIOS.map(({ name }) => name) } as const }
      : one,
  ),
  flag('--data', 'The body; @file: the content of this file.', { kind: 'text' }),
  JSON_FLAG,
  alone('--curl', 'Write a curl command that shows the worst of it.'),
].filter(({ name }) => name !== '--no-insecure');

export const COMMAND_FLAGS: readonly CommandFlags[] = [
  { word: 'print-config', settings: true, flags: [JSON_FLAG, HELP], operands: null },
  { word: 'diagnose', settings: false, flags: [...DIAGNOSE_FLAGS, HELP, VERSION], operands: null },
  {
    word: 'healthcheck',
    settings: true,
    flags: [alone('--ready', 'Ask whether the upstream takes connections, too.'), HELP],
    operands: null,
  },
  {
    word: 'init',
    settings: false,
    flags: [
      alone('--compose', 'Write a service for docker compose, too.'),
      alone('--force', 'Replace files that exist.'),
      HELP,
    ],
    operands: null,
  },
  { word: 'completion', settings: false, flags: [HELP], operands: SHELLS },
  { word: null, settings: true, flags: [HELP, VERSION], operands: null },
];

function flag(name: string, purpose: string, value: FlagValue): Flag {
  return { name, purpose, value, repeats: false };
}

function alone(name: string, purpose: string): Flag {
  return flag(name, purpose, { kind: 'none' });
}

interface Row {
  readonly name: string;
  readonly purpose: string;
  readonly type: Pick<OptionType<never, Unit>, 'arity' | 'placeholder' | 'schema'>;
}

function flagsOf({ name, purpose, type }: Row): readonly Flag[] {
  if (type.arity === 'switch') return [alone(`--${name}`, purpose), alone(`--no-${name}`, `Not: ${purpose}`)];
  return [{ name: `--${name}`, purpose, value: valueOf(type), repeats: type.arity === 'list' }];
}

function valueOf({ schema, placeholder }: Row['type']): FlagValue {
  const words = schema['enum'];
  if (Array.isArray(words)) return { kind: 'words', words: words.map(String) };
  return { kind: placeholder === 'PATH' ? 'path' : 'text' };
}
