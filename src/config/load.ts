/** Settings from the command line, the environment and a configuration file: flag > variable > file > default. */

import { gatherFile, type FileSource } from './config-file.ts';
import { gatherFlags, gatherVariables } from './sources.ts';
import { CONFIG_VARIABLE } from './option-table.ts';
import { settle, type LoadResult } from './settle.ts';

export interface Sources {
  /** By name without the dashes (`body-hold`), each with the text or texts that it was given. */
  readonly flags: Readonly<Record<string, unknown>>;
  /** The target that was given as an argument, without its flag. */
  readonly target?: string | null;
  readonly env: NodeJS.ProcessEnv;
  /** The configuration file that `--config` names; null: the one that `LASTBYTE_CONFIG` names, if it does. */
  readonly file: string | null;
}

/** Either settings, deeply frozen, with where each value came from; or everything that is wrong, at once. */
export function loadSettings(sources: Sources): LoadResult {
  const file = fileOf(sources);
  return settle([
    gatherFlags(sources.flags, sources.target ?? null),
    gatherVariables(sources.env),
    ...(file === null ? [] : [gatherFile(file)]),
  ]);
}

/** The configuration file that counts, and what names it; null when there is none. */
export function fileOf({ file, env }: Pick<Sources, 'file' | 'env'>): FileSource | null {
  if (file !== null) return { path: file, namedBy: { kind: 'flag', name: '--config' } };
  const path = env[CONFIG_VARIABLE];
  return path === undefined || path === ''
    ? null
    : { path, namedBy: { kind: 'variable', name: CONFIG_VARIABLE } };
}
