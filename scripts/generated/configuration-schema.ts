/** config/schema.json: the JSON Schema of a configuration file, for editors and other checkers. */

import { defaultOf, OPTIONS } from '../../src/config/option-table.ts';

export function configurationSchema(): string {
  const properties = OPTIONS.map(({ name, setting, purpose, type }) => [
    name,
    { description: purpose, ...type.schema, default: defaultOf(setting) },
  ]);
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'lastbyte configuration file',
    description: 'Written by scripts/generate.ts from the option table. Sizes are powers of 1024.',
    type: 'object',
    additionalProperties: false,
    properties: { $schema: { type: 'string' }, ...Object.fromEntries(properties) },
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}
