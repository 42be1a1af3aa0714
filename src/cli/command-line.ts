/** The command line: what it asks for. yargs splits it and writes the help; what is wrong is said in our words. */

import yargs, { type Argv } from 'yargs';
import type { Fault } from '../config/fault.ts';
import { nearestName } from '../config/nearest.ts';
import { defaultOf, GROUPS } from '../config/option-table.ts';
import type { AnyOption } from '../config/option.ts';
import { COMMANDS, COMMAND_WORDS, type CommandWord } from './commands.ts';
import { configFaults, configFile, lineFault, surplusFaults } from './line-faults.ts';
import { explicitSwitches } from './switches.ts';

export type Command = 'run' | 'print-config';

/** What the command line gave for the settings. */
export interface SettingsRequest {
  readonly flags: Readonly<Record<string, unknown>>;
  readonly target: string | null;
  readonly file: string | null;
}

export type CommandLine =
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'command';
      readonly command: Command;
      readonly json: boolean;
      readonly request: SettingsRequest;
      /** What is wrong with the command line's shape; the settings may have more. */
      readonly faults: readonly Fault[];
    };

export const MAX_HELP_COLUMNS = 100;

const SYNOPSES = [
  { synopsis: '$0 [target]', purpose: 'run the proxy in front of target' },
  ...COMMANDS.map(({ word, operands, purpose }) => ({ synopsis: `$0 ${word} ${operands}`, purpose })),
].map(({ synopsis, purpose }) => `${synopsis.padEnd('$0 print-config [target]'.length)}  ${purpose}`);

const USAGE = `Every response, to the last byte: a proxy for dev servers that close connections too early.

${SYNOPSES.join('\n')}`;

const EPILOGUE = `Every flag is also a variable (LASTBYTE_BODY_HOLD) and a key of the file (body-hold).
Sizes: 512kb, 10mb, 1gb. Times: 100ms, 30s, 5m, 0. Exit codes: 0 fine, 1 failed, 2 bad usage.`;

/** yargs hands on what was written: names and numbers are judged by the option table. */
export const AS_WRITTEN: Readonly<Record<string, boolean>> = {
  'boolean-negation': false,
  'camel-case-expansion': false,
  'dot-notation': false,
  'duplicate-arguments-array': true,
  'parse-numbers': false,
  'parse-positional-numbers': false,
  'short-option-groups': false,
};

/** Not settings: they steer the program itself. */
const OWN_FLAGS: ReadonlySet<string> = new Set(['config', 'json', 'help', 'h', 'version']);

export async function parseCommandLine(
  argv: readonly string[],
  version: string,
  columns: number,
): Promise<CommandLine> {
  let text = '';
  const words = explicitSwitches(argv);
  const parsed = await parserFor(version, columns).parseAsync(words, {}, (_error, _parsed, output) => {
    text = output;
  });
  if (text !== '') return { kind: 'text', text };
  return interpret(parsed);
}

function parserFor(version: string, columns: number): Argv {
  const parser = yargs()
    .scriptName('lastbyte')
    .locale('en')
    .parserConfiguration(AS_WRITTEN)
    .usage(USAGE)
    .wrap(Math.min(MAX_HELP_COLUMNS, columns));
  for (const { title, options } of GROUPS) for (const option of options) declare(parser, option, title);
  return parser
    .option('config', { describe: 'Read options from this YAML or JSON file (or LASTBYTE_CONFIG).' })
    .option('json', { describe: 'print-config: as JSON.', boolean: true })
    .help()
    .alias('help', 'h')
    .version(version)
    .group(['config', 'json', 'help', 'version'], 'Program:')
    .example('$0 8000', 'in front of a dev server on port 8000')
    .example('$0 django:8000 --host 0.0.0.0', 'beside a container, open to others')
    .example('$0 --config lastbyte.yaml --port 9000', 'a file, with one option changed')
    .epilogue(EPILOGUE);
}

/** Without a type: yargs then leaves the text as it is. */
function declare(parser: Argv, { name, setting, purpose, kind }: AnyOption, title: string): void {
  const words = kind.schema['enum'];
  const describe = Array.isArray(words) ? `${purpose} One of ${words.join(', ')}.` : purpose;
  const value = defaultOf(setting);
  const text = value === null ? '' : String(value);
  const shownDefault = text === '' ? {} : { defaultDescription: text };
  parser.option(name, { describe, group: `${title}:`, ...shownDefault });
}

function interpret(parsed: Readonly<Record<string, unknown>>): CommandLine {
  const { _: words, config, json, ...rest } = parsed;
  const given = Array.isArray(words) ? words.map(String) : [];
  const command = given[0] === 'print-config' ? 'print-config' : 'run';
  const [word = null, ...surplus] = command === 'run' ? given : given.slice(1);
  const misspelt = word === null ? null : misspeltCommand(word);
  const flags = Object.entries(rest).filter(([name]) => name !== '$0' && !OWN_FLAGS.has(name));
  return {
    kind: 'command',
    command,
    json: json === true,
    request: {
      flags: Object.fromEntries(flags),
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
