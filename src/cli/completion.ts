/** `lastbyte completion <shell>`: the script by which a shell asks lastbyte, through yargs, what can be written next. */

import type { Fault } from '../config/fault.ts';
import { nearestName } from '../config/fault.ts';
import { BAD_USAGE, FINE, type Command } from './command.ts';
import { faultReport } from './streams.ts';
import { PATHS, SHELLS } from './completion-request.ts';
import { lineFault, surplusFaults } from './line.ts';

/**
 * SHELL tells yargs in whose form to answer: the user's own shell may be another than the one that asks. The word that
 * stands for "a path" is the shell's own affair.
 */
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
  run: async ({ words, faults: shape }, { streams: { stdout, stderr } }) => {
    const [word = '', ...surplus] = words;
    const script = new Map(Object.entries(SCRIPTS)).get(word);
    const faults = [
      ...(script === undefined ? [noShell(word)] : []),
      ...surplusFaults(surplus, 'Give one shell'),
      ...shape,
    ];
    if (script === undefined || faults.length > 0) {
      stderr.write(faultReport(faults, 'on the command line'));
      return BAD_USAGE;
    }
    stdout.write(script);
    return FINE;
  },
};

function noShell(word: string): Fault {
  const origin = { kind: 'argument', name: 'shell' } as const;
  if (word === '') return lineFault(origin, 'is missing', `Write one of ${SHELLS.join(', ')}`);
  const nearest = nearestName(word, SHELLS);
  const guess = nearest === null ? '' : `Did you mean ${nearest}? `;
  const remedy = `${guess}Write one of ${SHELLS.join(', ')}`;
  return { ...lineFault(origin, 'is no shell that is known here', remedy), value: word };
}
