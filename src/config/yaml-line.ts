/** One option as a line of a configuration file. */

import { stringify } from 'yaml';
import type { ConfigValue } from './option-type.ts';

/** `retry-methods: [GET, HEAD]`, without its line end. */
export function yamlLine(name: string, value: ConfigValue): string {
  const options = { collectionStyle: 'flow', flowCollectionPadding: false, lineWidth: 0 } as const;
  return `${name}: ${stringify(value, options).trimEnd()}`;
}
