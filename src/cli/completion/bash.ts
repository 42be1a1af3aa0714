/** Completion for bash. */

import { COMMAND_FLAGS, SETTINGS_FLAGS, type Flag, type FlagValue } from './vocabulary.ts';

export function bashCompletion(): string {
  const all = new Map(
    [...SETTINGS_FLAGS, ...COMMAND_FLAGS.flatMap(({ flags }) => flags)].map((flag) => [flag.name, flag]),
  );
  return `# Completion of lastbyte for bash: source <(lastbyte completion bash)
_lastbyte() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} flags operands
  COMPREPLY=()
  local settings='${namesOf(SETTINGS_FLAGS)}'
  # --access-log=json comes as three words: bash splits at =.
  if [[ $word == = ]]; then word=; elif [[ $before == = ]]; then before=\${COMP_WORDS[COMP_CWORD-2]}; fi
  case \${COMP_WORDS[1]} in
${COMMAND_FLAGS.map(commandCase).join('\n')}
  esac
  ((COMP_CWORD > 1)) || operands='${COMMAND_FLAGS.map(({ word }) => word)
    .filter((word) => word !== null)
    .join(' ')}'
  case $before in
${valueCases([...all.values()])}
    *) [[ $word != -* ]] || operands=$flags ;;
  esac
  COMPREPLY=($(compgen -W "$operands" -- "$word"))
}
complete -F _lastbyte lastbyte
`;
}

function namesOf(flags: readonly Flag[]): string {
  return flags.map(({ name }) => name).join(' ');
}

function commandCase({ word, settings, flags, operands }: (typeof COMMAND_FLAGS)[number]): string {
  const shared = settings ? '$settings ' : '';
  const own = operands === null ? '' : ` operands='${operands.join(' ')}'`;
  return `    ${word ?? '*'}) flags="${shared}${namesOf(flags)}"${own} ;;`;
}

function valueCases(flags: readonly Flag[]): string {
  const taking = (kind: FlagValue['kind']): string =>
    flags
      .filter(({ value }) => value.kind === kind)
      .map(({ name }) => name)
      .join('|');
  const words = flags.map(({ name, value }) =>
    value.kind === 'words' ? `    ${name}) operands='${value.words.join(' ')}' ;;\n` : '',
  );
  // macOS still has a bash without compopt (3.2): there no path is offered, and nothing is said.
  return `${words.join('')}    ${taking('path')})
      compopt -o default 2>/dev/null
      return
      ;;
    ${taking('text')}) return ;;`;
}
