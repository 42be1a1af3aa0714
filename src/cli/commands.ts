/** The commands: what one is, what it is given, and the list of those with a word of their own. */

import type { Argv, Options } from 'yargs';
import type { Line } from './line.ts';

/** The part of `process.stdout` that the program uses. */
export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

export interface Streams {
  /** Results, and the log. */
  readonly stdout: Output;
  /** Errors. */
  readonly stderr: Output;
}

/** What a command gets besides its line. */
export interface CommandContext {
  readonly env: NodeJS.ProcessEnv;
  readonly streams: Streams;
  readonly version: string;
}

export interface Command {
  /** @param all includes the options that the short help leaves out */
  readonly options: (all: boolean) => Readonly<Record<string, Options>>;
  /** Adds the usage, the examples, and the text below the options. */
  readonly help: (parser: Argv) => Argv;
  /** Resolves with the exit code. */
  readonly run: (line: Line, context: CommandContext) => Promise<number>;
}

export const SUCCESS = 0;
export const FAILURE = 1;
export const BAD_USAGE = 2;

interface CommandEntry {
  readonly word: string;
  readonly purpose: string;
  readonly load: () => Promise<Command>;
}

export const COMMANDS: readonly CommandEntry[] = [
  {
    word: 'print-config',
    purpose: 'show the settings in effect and where each came from',
    load: async () => (await import('./print-config.ts')).printConfig,
  },
  {
    word: 'diagnose',
    purpose: 'check whether a server cuts its responses short',
    load: async () => (await import('./diagnose.ts')).diagnose,
  },
  {
    word: 'healthcheck',
    purpose: 'check that a running lastbyte is healthy',
    load: async () => (await import('./healthcheck.ts')).healthcheck,
  },
  {
    word: 'init',
    purpose: 'write a starter configuration file',
    load: async () => (await import('./init.ts')).init,
  },
  {
    word: 'completion',
    purpose: 'print a completion script for bash, zsh or fish',
    load: async () => (await import('./completion.ts')).completion,
  },
];

export const COMMAND_WORDS: readonly string[] = COMMANDS.map(({ word }) => word);
