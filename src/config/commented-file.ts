/** A configuration file that holds every option below its purpose (config/default.yaml, and what `lastbyte init` writes), and a line of it. */

import { stringify } from 'yaml';
import { GROUPS } from './option-table.ts';
import type { AnyOption, ConfigValue } from './option-type.ts';

/** @param lineOf the line of one option, below its purpose */
export function commentedFile(header: string, lineOf: (option: AnyOption) => string): string {
  const sections = GROUPS.map(({ title, options }) => {
    const lines = options.flatMap((option) => [`# ${option.purpose}`, lineOf(option)]);
    return `# --- ${title} ---\n\n${lines.join('\n')}\n`;
  });
  return [header, ...sections].join('\n');
}

/** `retry-methods: [GET, HEAD]`, without its line end. */
export function yamlLine(name: string, value: ConfigValue): string {
  const options = { collectionStyle: 'flow', flowCollectionPadding: false, lineWidth: 0 } as const;
  return `${name}: ${stringify(value, options).trimEnd()}`;
}
