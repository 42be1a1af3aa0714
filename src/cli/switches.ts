/** Switches on the command line, made explicit before yargs sees them. */

import { OPTIONS } from '../config/option-table.ts';

const FLAGS: ReadonlySet<string> = new Set(
  OPTIONS.filter(({ type }) => type.arity === 'switch').flatMap(({ name }) => [`--${name}`, `--no-${name}`]),
);

/**
 * `--no-admin` becomes `--no-admin=true`, so that the word after it is not taken for its value.
 *
 * yargs' own booleans would read `--admin=maybe` as false without a word (yargs-parser, `processValue`).
 */
export function explicitSwitches(argv: readonly string[]): readonly string[] {
  const explicit: string[] = [];
  let index = 0;
  for (; index < argv.length && argv[index] !== '--'; index += 1) {
    const word = argv[index] ?? '';
    const next = argv[index + 1];
    if (!FLAGS.has(word)) {
      explicit.push(word);
    } else if (next === 'true' || next === 'false') {
      explicit.push(`${word}=${next}`);
      index += 1;
    } else {
      explicit.push(`${word}=true`);
    }
  }
  return [...explicit, ...argv.slice(index)];
}
