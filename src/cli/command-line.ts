/** The command line: what it asks for, or what is wrong with it, in our words. */

import type { Fault } from '../config/fault.ts';
import { nearestName } from '../config/nearest.ts';
import { COMMANDS, COMMAND_WORDS, type CommandWord } from './commands.ts';
import { configFaults, configFile, lineFault, surplusFaults } from './line-faults.ts';
import { splitLine, type SplitLine } from './split-line.ts';

export type Command = 'run' | 'print-config';

/** What the command line gave for the settings. */
export interface SettingsRequest {
  readonly flags: Readonly<Record<string, unknown>>;
  readonly target: string | null;
  readonly file: string | null;
}

export type CommandLine =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | {
      readonly kind: 'command';
      readonly command: Command;
      readonly json: boolean;
      readonly request: SettingsRequest;
      /** What is wrong with the command line's shape; the settings may have more. */
      readonly faults: readonly Fault[];
    };

export function parseCommandLine(argv: readonly string[]): CommandLine {
  const { words, help, flags } = splitLine(argv, ['json', 'version']);
  const { version, ...rest } = flags;
  if (help) return { kind: 'help' };
  if (version === true) return { kind: 'version' };
  return interpret(words, rest);
}

function interpret(given: readonly string[], parsed: SplitLine['flags']): CommandLine {
  const { config, json, ...flags } = parsed;
  const command = given[0] === 'print-config' ? 'print-config' : 'run';
  const [word = null, ...surplus] = command === 'run' ? given : given.slice(1);
  const misspelt = word === null ? null : misspeltCommand(word);
  return {
    kind: 'command',
    command,
    json: json === true,
    request: {
      flags,
      target: misspelt === null ? word : null,
      file: configFile(config),
    },
    faults: [
      ...COMMANDS.filter(({ word: one, first }) => first && given.includes(one)).map(misplaced),
      ...(misspelt === null ? [] : [misspelt]),
      ...surplusFaults(surplus, 'Give at most one target'),
      ...configFaults(config),
      ...faultsOfJson(command, json),
    ],
  };
}

/** Its flags have to be known before they are read. */
function misplaced({ word, operands }: CommandWord): Fault {
  const remedy = `Write lastbyte ${word} ${operands}, and its flags behind it`;
  return lineFault({ kind: 'argument', name: word }, 'is not the first word', remedy);
}

/** A target names a port; a word that does not, and is close to a command, was meant to be one. */
function misspeltCommand(word: string): Fault | null {
  const command = /^[a-z-]+$/.test(word) ? nearestName(word, COMMAND_WORDS) : null;
  if (command === null) return null;
  return lineFault({ kind: 'argument', name: word }, 'is not a command', `Did you mean ${command}?`);
}

function faultsOfJson(command: Command, json: unknown): readonly Fault[] {
  if (json === undefined || command === 'print-config') return [];
  const remedy = 'For a log in JSON, write --access-log json';
  return [lineFault({ kind: 'flag', name: '--json' }, 'belongs to print-config', remedy)];
}
