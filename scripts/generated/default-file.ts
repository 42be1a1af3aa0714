/** config/default.yaml: every option with its default, to copy and change. */

import { defaultOf, GROUPS, type OptionGroup } from '../../src/config/option-table.ts';
import { yamlLine } from '../../src/config/yaml-line.ts';

const HEADER = `# yaml-language-server: $schema=./schema.json
#
# Every option of lastbyte with its default. Copy this file, keep the lines that you change,
# and name it with --config or LASTBYTE_CONFIG. Sizes are powers of 1024; times need a unit.
# Written by scripts/generate.ts from the option table.
`;

export function defaultFile(): string {
  return [HEADER, ...GROUPS.map(section)].join('\n');
}

function section({ title, options }: OptionGroup): string {
  const lines = options.flatMap(({ name, setting, purpose }) => [
    `# ${purpose}`,
    yamlLine(name, defaultOf(setting)),
  ]);
  return `# --- ${title} ---\n\n${lines.join('\n')}\n`;
}
