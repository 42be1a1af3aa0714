/** The commands with a word of their own, each loaded alone, so that none waits for another. */

import type { Command } from './command.ts';

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
