/** What a command is given besides its arguments. */

import type { Streams } from './streams.ts';

export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly streams: Streams;
  readonly version: string;
}

/** Runs with what stands behind its own word, and resolves with its exit code. */
export type CommandFunction = (argv: readonly string[], surroundings: Surroundings) => Promise<number>;
