/** Completion for zsh. */

import { COMMANDS } from '../commands.ts';
import { COMMAND_FLAGS, SETTINGS_FLAGS, type CommandFlags, type Flag } from './vocabulary.ts';

export function zshCompletion(): string {
  const commands = COMMANDS.map(({ word, purpose }) => quoted(`${word}:${purpose}`));
  return `#compdef lastbyte
# Completion of lastbyte for zsh: source <(lastbyte completion zsh) behind compinit, or a file _lastbyte in $fpath.
_lastbyte() {
  local -a commands settings
  commands=(${commands.join(' ')})
  settings=(
${SETTINGS_FLAGS.map((flag) => `    ${specOf(flag)}`).join('\n')}
  )
  if ((CURRENT == 2)) && [[ $words[2] != -* ]]; then
    _describe -t commands command commands
    return
  fi
  case $words[2] in
${COMMAND_FLAGS.map(commandCase).join('\n')}
  esac
}
if [[ $funcstack[1] == _lastbyte ]]; then _lastbyte "$@"; else compdef _lastbyte lastbyte; fi
`;
}

function commandCase({ word, settings, flags, operands }: CommandFlags): string {
  const specs = [
    ...(settings ? ['$settings'] : []),
    ...flags.map(specOf),
    // The command's own word is the first operand; without a rest `_arguments` would end at it.
    quoted(operands === null ? '*: :()' : `2:${word ?? ''}:(${operands.join(' ')})`),
  ];
  return `    ${word ?? '*'}) _arguments ${specs.join(' ')} ;;`;
}

/** As `_arguments` reads it (zshcompsys(1)). */
function specOf({ name, purpose, value, repeats }: Flag): string {
  const text = purpose.replaceAll(/[[\]:\\]/g, (mark) => `\\${mark}`);
  const many = repeats ? '*' : '';
  switch (value.kind) {
    case 'none':
      return quoted(`${name}[${text}]`);
    case 'path':
      return quoted(`${many}${name}=[${text}]:path:_files`);
    case 'words':
      return quoted(`${many}${name}=[${text}]:value:(${value.words.join(' ')})`);
    case 'text':
      return quoted(`${many}${name}=[${text}]:value: `);
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
