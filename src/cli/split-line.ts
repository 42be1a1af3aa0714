/** Splits a command line by yargs' parser, which hands on what was written: the option tables judge it. */

import parse from 'yargs-parser';
import { explicitSwitches } from './switches.ts';

const AS_WRITTEN: Readonly<Record<string, boolean>> = {
  'boolean-negation': false,
  'camel-case-expansion': false,
  'dot-notation': false,
  'duplicate-arguments-array': true,
  'parse-numbers': false,
  'parse-positional-numbers': false,
  'short-option-groups': false,
};

export interface SplitLine {
  readonly words: readonly string[];
  readonly help: boolean;
  /** By name without the dashes: the text, the texts of one that is repeated, or true without a value. */
  readonly flags: Readonly<Record<string, unknown>>;
}

/** @param switches flags that take no word behind them, besides `--help` and the settings' own switches */
export function splitLine(argv: readonly string[], switches: readonly string[]): SplitLine {
  const parsed: Readonly<Record<string, unknown>> = parse([...explicitSwitches(argv)], {
    alias: { help: ['h'] },
    boolean: ['help', ...switches],
    configuration: AS_WRITTEN,
  });
  const { _: words, help, h: _alias, ...flags } = parsed;
  return { words: Array.isArray(words) ? words.map(String) : [], help: help === true, flags };
}
