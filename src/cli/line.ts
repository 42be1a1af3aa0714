/** A command line, parsed by yargs and checked here: yargs would stop at the first fault. */

import type { Arguments, Options } from 'yargs';
import { faultText, nearestName, shown } from '../config/fault.ts';
import type { Fault, Origin } from '../config/fault.ts';
import type { ConfigValue, OptionType } from '../config/types.ts';

export interface Line {
  /** The positional arguments, without the command's own word. */
  readonly words: readonly string[];
  /** The words after `--`; null: there is no `--`. */
  readonly afterDashes: readonly string[] | null;
  /** By name without the dashes: a text; a list of texts if repeated; true or false for a switch; true if it has no value. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly faults: readonly Fault[];
}

/** The command, and the options that it knows. */
interface Shape {
  /** Null: the proxy, which has no word. */
  readonly word: string | null;
  readonly options: Readonly<Record<string, Options>>;
}

/** @param args the line as it was written */
export function readLine(parsed: Arguments, args: readonly string[], shape: Shape): Line {
  const { _: words, $0: _program, '--': after, help: _help, version: _version, ...flags } = parsed;
  const isKnown = ([name, value]: [string, unknown]): boolean => {
    const option = shape.options[name];
    return option !== undefined && (value !== false || option.boolean === true);
  };
  const entries = Object.entries(flags);
  return {
    words: words.map(String).slice(shape.word === null ? 0 : 1),
    afterDashes: args.includes('--') ? (Array.isArray(after) ? after.map(String) : []) : null,
    flags: Object.fromEntries(entries.filter(isKnown)),
    faults: [
      ...entries
        .filter((entry) => !isKnown(entry))
        .map(([name, value]) => unknownFlag(value === false ? `no-${name}` : name, shape)),
      ...switchFaults(args, shape.options),
      ...(shape.word === null || !args.includes('--') ? [] : [commandFault(shape.word)]),
    ],
  };
}

function unknownFlag(name: string, { word, options }: Shape): Fault {
  const command = word === null ? 'lastbyte' : `lastbyte ${word}`;
  const known = Object.entries(options).flatMap(([option, { boolean }]) =>
    boolean === true ? [`--${option}`, `--no-${option}`] : [`--${option}`],
  );
  const nearest = nearestName(`--${name}`, known);
  const list = `${command} --help${options['all'] === undefined ? '' : ' --all'} lists all flags`;
  return lineFault(
    flagOrigin(name),
    `is not a flag of ${command}`,
    nearest === null ? list : `Did you mean ${nearest}?`,
  );
}

/** yargs reads any word but `true` as false (yargs-parser, `processValue`). */
function switchFaults(args: readonly string[], options: Shape['options']): readonly Fault[] {
  const end = args.indexOf('--');
  return (end === -1 ? args : args.slice(0, end)).flatMap((word) => {
    const { name = '', value = '' } = /^--(?<name>[^=]+)=(?<value>.*)$/s.exec(word)?.groups ?? {};
    if (options[name]?.boolean !== true || value === 'true' || value === 'false') return [];
    return [lineFault(flagOrigin(name), 'is neither true nor false', 'Write true or false', shown(value))];
  });
}

function commandFault(word: string): Fault {
  const remedy = `Leave it out, or write lastbyte without ${word}`;
  return lineFault({ kind: 'flag', name: '--' }, `cannot be used with lastbyte ${word}`, remedy);
}

/** One fault for each argument that the command does not take. */
export function surplusFaults(surplus: readonly string[], remedy: string): readonly Fault[] {
  return surplus.map((word) =>
    lineFault({ kind: 'argument', name: word }, 'is one argument too many', remedy),
  );
}

export function lineFault(
  origin: Extract<Origin, { name: string }>,
  problem: string,
  remedy: string,
  value: string | null = null,
): Fault {
  return { option: origin.name, value, origin, problem, remedy };
}

export function flagOrigin(name: string): { readonly kind: 'flag'; readonly name: string } {
  return { kind: 'flag', name: name.length === 1 ? `-${name}` : `--${name}` };
}

/** One line per fault, below a line that counts them. */
export function faultReport(faults: readonly Fault[], where = 'in the configuration'): string {
  const count = faults.length === 1 ? 'one fault' : `${faults.length} faults`;
  const lines = faults.map((fault) => `  ${faultText(fault)}`);
  return `lastbyte: ${count} ${where}\n${lines.join('\n')}\n`;
}

/** What yargs is told of an option. */
export function yargsOption(
  purpose: string,
  { arity, schema }: Pick<OptionType<never>, 'arity' | 'schema'>,
  preset: ConfigValue,
): Options {
  const words = schema['enum'];
  const shownDefault = preset === null ? '' : String(preset);
  return {
    describe: purpose,
    ...(arity === 'switch' ? { boolean: true } : {}),
    ...(Array.isArray(words) ? { choices: words.map(String) } : {}),
    ...(shownDefault === '' ? {} : { defaultDescription: shownDefault }),
  };
}
