/** The command `lastbyte`, from its arguments to its exit code. It ends the process itself only where nobody reads its log. */

import yargs, { type Options } from 'yargs';
import { packageVersion } from '../config/version.ts';
import { COMMANDS, FINE } from './commands.ts';
import type { Command, Streams } from './commands.ts';
import { offerCompletions } from './completion.ts';
import { readLine } from './line.ts';
import { proxy } from './proxy.ts';

/** Each word and value arrives as it was written: the tables of options judge it. */
const AS_WRITTEN = {
  'camel-case-expansion': false,
  'dot-notation': false,
  'parse-numbers': false,
  'parse-positional-numbers': false,
  'populate--': true,
  'strip-aliased': true,
};

const MAX_HELP_COLUMNS = 100;

/** @returns the exit code: 0 fine, 1 failed at run time, 2 bad usage or configuration; `diagnose` has its own */
export async function main(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  streams: Streams,
): Promise<number> {
  ignoreBrokenPipe(streams);
  const context = { env, streams, version: packageVersion() };
  const parser = yargs([...args])
    .scriptName('lastbyte')
    .locale('en')
    .parserConfiguration(AS_WRITTEN)
    .exitProcess(false)
    .wrap(Math.min(MAX_HELP_COLUMNS, streams.stdout.columns ?? MAX_HELP_COLUMNS))
    .help()
    .alias('help', 'h')
    .version(context.version)
    // Commands judge their own lines, all faults at once.
    .fail((_complaint, error) => {
      if (error instanceof Error) throw error;
    });
  const declared: Record<string, Options> = {};
  const completing = offerCompletions(parser, args, declared);
  const all = completing || args.includes('--all');
  let code = FINE;
  const add = (word: string | null, purpose: string | false, command: Command | null): void => {
    const options = command?.options(all) ?? {};
    Object.assign(declared, options);
    parser.command({
      command: word ?? '$0',
      describe: purpose,
      builder: (y) => (word === null ? y.options(options) : (command?.help(y.options(options)) ?? y)),
      handler: async (parsed) => {
        code = (await command?.run(readLine(parsed, args, { word, options }), context)) ?? code;
      },
    });
  };
  // The help of the whole: that of a command without a word would be shown below yargs' own line.
  proxy.help(parser);
  if (completing) parser.options(ownOptions(proxy.options(all)));
  add(null, false, proxy);
  for (const { word, purpose, load } of COMMANDS)
    add(word, purpose, args.includes(word) ? await load() : null);
  await parser.parseAsync();
  return code;
}

/** yargs completes no flags of a command without a word: they are given to the whole, and to no command below it. */
function ownOptions(options: Readonly<Record<string, Options>>): Record<string, Options> {
  const own = Object.entries(options).map(([name, option]) => [name, { ...option, global: false }] as const);
  return Object.fromEntries(own);
}

/**
 * Keeps `lastbyte | head` alive: an `'error'` without a listener ends the process, and a reader that has left is
 * no reason to drop the clients.
 */
function ignoreBrokenPipe({ stdout, stderr }: Streams): void {
  for (const stream of [stdout, stderr]) stream.on('error', () => undefined);
}
