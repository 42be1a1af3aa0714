/** Completion: `lastbyte completion <shell>` prints a script for the shell, which then asks yargs, with corrections. */

import type { Argv, FallbackCompletionFunction, Options } from 'yargs';
import { nearestName } from '../config/fault.ts';
import type { Fault } from '../config/fault.ts';
import { optionNamed } from '../config/options.ts';
import { BAD_USAGE, SUCCESS } from './commands.ts';
import type { Command } from './commands.ts';
import { faultReport, lineFault, surplusFaults } from './line.ts';

const SHELLS: readonly string[] = ['bash', 'zsh', 'fish'];

/** Offered alone: the shell itself completes paths better. */
const PATHS = ':paths';

/** SHELL tells yargs which shell asks: it need not be the user's own. */
const SCRIPTS = {
  bash: `# Completion of lastbyte for bash: source <(lastbyte completion bash)
_lastbyte() {
  local IFS=$'\\n' offers
  offers=$(SHELL=bash lastbyte --get-yargs-completions "\${COMP_WORDS[@]:0:COMP_CWORD+1}" 2>/dev/null)
  # macOS still has a bash without compopt (3.2): there no path is offered.
  if [[ $offers == ${PATHS} ]]; then compopt -o default 2>/dev/null; return; fi
  COMPREPLY=($(compgen -W "$offers" -- "\${COMP_WORDS[COMP_CWORD]#=}"))
}
complete -F _lastbyte lastbyte
`,
  zsh: `#compdef lastbyte
# Completion of lastbyte for zsh: source <(lastbyte completion zsh) after compinit, or a file _lastbyte in $fpath.
_lastbyte() {
  local offers=("\${(@f)$(SHELL=zsh lastbyte --get-yargs-completions "\${(@)words[1,CURRENT]}" 2>/dev/null)}")
  if [[ $offers == ${PATHS} ]]; then _files; elif [[ -n $offers ]]; then _describe lastbyte offers; fi
}
if [[ $funcstack[1] == _lastbyte ]]; then _lastbyte "$@"; else compdef _lastbyte lastbyte; fi
`,
  fish: `# Completion of lastbyte for fish: lastbyte completion fish > ~/.config/fish/completions/lastbyte.fish
function __lastbyte_offers
  set -l offers (SHELL=fish lastbyte --get-yargs-completions (commandline -opc) (commandline -ct) 2>/dev/null)
  if test "$offers" = ${PATHS}; __fish_complete_path (commandline -ct); else; string join \\n -- $offers; end
end
complete -c lastbyte -f -a '(__lastbyte_offers)'
`,
};

const USAGE = `Usage: $0 completion ${SHELLS.join('|')}

Prints a script that completes commands, flags and their values in your shell.`;

const EPILOGUE = `To load it in every new shell (needs npm install --global lastbyte):

  bash   echo 'source <(lastbyte completion bash)' >> ~/.bashrc
  zsh    echo 'source <(lastbyte completion zsh)' >> ~/.zshrc      (after compinit)
  fish   lastbyte completion fish > ~/.config/fish/completions/lastbyte.fish`;

export const completion: Command = {
  options: () => ({}),
  help: (y) => y.usage(USAGE).epilogue(EPILOGUE),
  run: async ({ words, faults: ofLine }, { streams: { stdout, stderr } }) => {
    const [word = '', ...surplus] = words;
    const script = new Map(Object.entries(SCRIPTS)).get(word);
    const faults = [
      ...(script === undefined ? [noShell(word)] : []),
      ...surplusFaults(surplus, 'Write only one shell'),
      ...ofLine,
    ];
    if (script === undefined || faults.length > 0) {
      stderr.write(faultReport(faults, 'on the command line'));
      return BAD_USAGE;
    }
    stdout.write(script);
    return SUCCESS;
  },
};

function noShell(word: string): Fault {
  const origin = { kind: 'argument', name: 'shell' } as const;
  if (word === '') return lineFault(origin, 'is missing', `Write one of ${SHELLS.join(', ')}`);
  const nearest = nearestName(word, SHELLS);
  const guess = nearest === null ? '' : `Did you mean ${nearest}? `;
  const remedy = `${guess}Write one of ${SHELLS.join(', ')}`;
  return lineFault(origin, 'is not a shell that lastbyte knows', remedy, word);
}

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

/** Null: what yargs itself would offer. */
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
