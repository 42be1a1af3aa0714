/** config/default.yaml: every option with its default, to copy and change. */

import { commentedFile, yamlLine } from '../../src/config/config-file.ts';
import { defaultOf } from '../../src/config/option-table.ts';

const HEADER = `# yaml-language-server: $schema=./schema.json
#
# Every option of lastbyte with its default. Copy this file, keep the lines that you change,
# and name it with --config or LASTBYTE_CONFIG. Sizes are powers of 1024; times need a unit.
# Written by scripts/generate.ts from the option table.
`;

export function defaultFile(): string {
  return commentedFile(HEADER, ({ name, setting }) => yamlLine(name, defaultOf(setting)));
}
