/** The commands that there are: the words, and what is said of them. */

export interface CommandWord {
  readonly word: string;
  /** What stands behind the word. */
  readonly operands: string;
  readonly purpose: string;
  /** Its flags are its own, so its word has to come first; the others have the settings' flags. */
  readonly first: boolean;
}

export const COMMANDS: readonly CommandWord[] = [
  {
    word: 'print-config',
    operands: '[target]',
    purpose: 'show the settings in force, and where each came from',
    first: false,
  },
  {
    word: 'diagnose',
    operands: '<url>',
    purpose: 'find out whether a server cuts its answers (diagnose --help)',
    first: true,
  },
  {
    word: 'healthcheck',
    operands: '[url]',
    purpose: 'ask whether a lastbyte lives, for a container (healthcheck --help)',
    first: true,
  },
  {
    word: 'init',
    operands: '[target]',
    purpose: 'write a configuration to begin with (init --help)',
    first: true,
  },
  {
    word: 'completion',
    operands: '<shell>',
    purpose: 'write a completion script for bash, zsh or fish (completion --help)',
    first: true,
  },
];

export const COMMAND_WORDS: readonly string[] = COMMANDS.map(({ word }) => word);
