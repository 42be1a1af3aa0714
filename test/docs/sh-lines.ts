/** The commands of the fenced `sh` blocks: one a line, or one a block if its lines belong together. */

import { BLOCKS, type Block } from './markdown.ts';

export interface DocumentedCommand {
  readonly file: string;
  /** Without its comment. */
  readonly text: string;
}

/** A loop, a job in the background, or a line that goes on: nobody types such lines one by one. */
const BELONG_TOGETHER = /^(?:for|if|while) |&$|[|\\]$/m;

function commandsOf({ file, text }: Block): DocumentedCommand[] {
  const lines = text
    .split('\n')
    .map(withoutComment)
    .filter((line) => line !== '');
  const commands = BELONG_TOGETHER.test(lines.join('\n')) ? [lines.join('\n')] : lines;
  return commands.map((command) => ({ file, text: command }));
}

function withoutComment(line: string): string {
  return line.replace(/(?:^|\s+)# .*$/, '').trimEnd();
}

export const COMMANDS: readonly DocumentedCommand[] = BLOCKS.filter(
  ({ language }) => language === 'sh' || language === 'bash',
).flatMap(commandsOf);
