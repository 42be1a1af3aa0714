/** What a command is: what yargs is told of it, and what it does with a line that yargs has parsed. */

import type { Argv, Options } from 'yargs';
import type { Line } from './line.ts';
import type { Streams } from './streams.ts';

/** What a command is given besides its line. */
export interface CommandContext {
  readonly env: NodeJS.ProcessEnv;
  readonly streams: Streams;
  readonly version: string;
}

export interface Command {
  /** @param all also those that the short help leaves out */
  readonly options: (all: boolean) => Readonly<Record<string, Options>>;
  /** Usage, examples, and what stands below the options. */
  readonly help: (parser: Argv) => Argv;
  /** Resolves with the exit code. */
  readonly run: (line: Line, context: CommandContext) => Promise<number>;
}

export const FINE = 0;
export const FAILED = 1;
export const BAD_USAGE = 2;
