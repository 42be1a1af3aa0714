/** Completion for fish. */

import { COMMANDS } from '../commands.ts';
import { COMMAND_FLAGS, SETTINGS_FLAGS, type CommandFlags, type Flag } from './vocabulary.ts';

export function fishCompletion(): string {
  const commands = COMMANDS.map(
    ({ word, purpose }) => `complete -c lastbyte -n __fish_use_subcommand -a ${word} -d ${quoted(purpose)}`,
  );
  const ofSettings = `not ${seen(COMMAND_FLAGS.filter(({ settings }) => !settings))}`;
  return `# Completion of lastbyte for fish: lastbyte completion fish > ~/.config/fish/completions/lastbyte.fish
complete -c lastbyte -f
${[
  ...commands,
  ...SETTINGS_FLAGS.map((flag) => line(ofSettings, flag)),
  ...COMMAND_FLAGS.flatMap(linesOf),
].join('\n')}
`;
}

function linesOf(command: CommandFlags): readonly string[] {
  const { word, flags, operands } = command;
  const condition = word === null ? '__fish_use_subcommand' : seen([command]);
  const words =
    operands === null
      ? []
      : [`complete -c lastbyte -n ${quoted(condition)} -a ${quoted(operands.join(' '))}`];
  return [...words, ...flags.map((flag) => line(condition, flag))];
}

function seen(commands: readonly CommandFlags[]): string {
  return `__fish_seen_subcommand_from ${commands.map(({ word }) => word ?? '').join(' ')}`;
}

function line(condition: string, { name, purpose, value }: Flag): string {
  const start = `complete -c lastbyte -n ${quoted(condition)} -l ${name.slice(2)} -d ${quoted(purpose)}`;
  switch (value.kind) {
    case 'none':
      return start;
    case 'path':
      return `${start} -r -F`;
    case 'words':
      return `${start} -x -a ${quoted(value.words.join(' '))}`;
    case 'text':
      return `${start} -x`;
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll(/['\\]/g, (mark) => `\\${mark}`)}'`;
}
