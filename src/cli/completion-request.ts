/** What yargs offers to a shell that completes, corrected where it would offer what does not fit. */

import type { Argv, FallbackCompletionFunction, Options } from 'yargs';
import { optionNamed } from '../config/options.ts';

export const SHELLS: readonly string[] = ['bash', 'zsh', 'fish'];

/** Offered alone: the shell completes paths better than we. */
export const PATHS = ':paths';

const REQUEST = '--get-yargs-completions';

/**
 * Whether the line asks for completions: `--get-yargs-completions lastbyte --access-log j`.
 *
 * @param declared all options that are known, filled by the time yargs parses
 */
export function offerCompletions(
  parser: Argv,
  args: readonly string[],
  declared: Readonly<Record<string, Options>>,
): boolean {
  if (args[0] !== REQUEST) return false;
  const typed = args.slice(1);
  const offer: FallbackCompletionFunction = (current, _parsed, offerDefaults, done) => {
    const offers = offersFor(typed, current, declared);
    if (offers !== null) done([...offers]);
    else offerDefaults();
  };
  parser.completion('--', false, offer);
  return true;
}

/** Null: what yargs offers. */
function offersFor(
  typed: readonly string[],
  current: string,
  declared: Readonly<Record<string, Options>>,
): readonly string[] | null {
  if (typed.slice(0, -1).includes('--')) return [PATHS];
  const [, flag = '', value] = /^(--[^=]+)=(.*)$/s.exec(current) ?? [];
  if (value !== undefined) return wordsOf(declared[flag.slice(2)]).map((word) => `${flag}=${word}`);
  // bash splits at =, so that --access-log=json comes as three words.
  const before = typed.at(typed.at(-2) === '=' ? -3 : -2) ?? '';
  const option = before.startsWith('--') ? declared[before.slice(2)] : undefined;
  if (option !== undefined && option.boolean !== true) {
    const isPath = before === '--config' || optionNamed(before.slice(2))?.type.placeholder === 'PATH';
    return isPath ? [PATHS] : wordsOf(option);
  }
  if (current.startsWith('--no-')) return switchesOf(declared).map((name) => `--no-${name}`);
  if (current.startsWith('-') || typed.length === 2) return null;
  return typed[1] === 'completion' && typed.length === 3 ? SHELLS : [];
}

function wordsOf(option: Options | undefined): readonly string[] {
  return Array.isArray(option?.choices) ? option.choices.map(String) : [];
}

function switchesOf(declared: Readonly<Record<string, Options>>): readonly string[] {
  return Object.entries(declared).flatMap(([name, { boolean }]) => (boolean === true ? [name] : []));
}
