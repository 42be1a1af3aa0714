/** The command `lastbyte`, from its arguments to its exit code. */

import yargs, { type Options } from 'yargs';
import { packageVersion } from '../config/version.ts';
import { COMMANDS, SUCCESS } from './commands.ts';
import type { Command, Streams } from './commands.ts';
import { offerCompletions } from './completion.ts';
import { readLine } from './line.ts';
import { proxy } from './proxy.ts';

/** yargs passes each word and value on as written: the tables of options check them. */
const AS_WRITTEN = {
  'camel-case-expansion': false,
  'dot-notation': false,
  'parse-numbers': false,
  'parse-positional-numbers': false,
  'populate--': true,
  'strip-aliased': true,
};

const MAX_HELP_COLUMNS = 100;

/** @returns the exit code: 0 success, 1 failure at run time, 2 bad usage or configuration; `diagnose` has its own */
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
    // Each command checks its own line, and reports all faults at once.
    .fail((_complaint, error) => {
      if (error instanceof Error) throw error;
    });
  const declared: Record<string, Options> = {};
  const completing = offerCompletions(parser, args, declared);
  const all = completing || args.includes('--all');
  let code = SUCCESS;
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
  // This is the help of the program itself: yargs would print that of a command without a word below a line of its own.
  proxy.help(parser);
  if (completing) parser.options(ownOptions(proxy.options(all)));
  add(null, false, proxy);
  for (const { word, purpose, load } of COMMANDS)
    add(word, purpose, args.includes(word) ? await load() : null);
  await parser.parseAsync();
  return code;
}

/** yargs completes no flags of a command without a word: declare them for the program, but not for its commands. */
function ownOptions(options: Readonly<Record<string, Options>>): Record<string, Options> {
  const own = Object.entries(options).map(([name, option]) => [name, { ...option, global: false }] as const);
  return Object.fromEntries(own);
}

/**
 * Keeps `lastbyte | head` alive: an `'error'` event without a listener would end the process, and drop all clients because
 * a reader of the log has left.
 */
function ignoreBrokenPipe({ stdout, stderr }: Streams): void {
  for (const stream of [stdout, stderr]) stream.on('error', () => undefined);
}
