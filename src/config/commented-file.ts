/** A configuration file that holds every option below its purpose: config/default.yaml, and what `lastbyte init` writes. */

import { GROUPS } from './option-table.ts';
import type { AnyOption } from './option-type.ts';

/** @param lineOf the line of one option, below its purpose */
export function commentedFile(header: string, lineOf: (option: AnyOption) => string): string {
  const sections = GROUPS.map(({ title, options }) => {
    const lines = options.flatMap((option) => [`# ${option.purpose}`, lineOf(option)]);
    return `# --- ${title} ---\n\n${lines.join('\n')}\n`;
  });
  return [header, ...sections].join('\n');
}
