/** What is measured: something that stands in front of the origin, or the origin itself. */

import type { RunningCommand } from '../test/harness/process.ts';

export interface Place {
  /** Where the origin listens, on 127.0.0.1. */
  readonly originPort: number;
  /** Where the peer is to listen, on 127.0.0.1. */
  readonly port: number;
  /** A folder of its own for configuration, logs and state. */
  readonly folder: string;
}

/**
 * What of an answer a peer has before it sends the first octet of it: what has come so far; a buffer of it, that it sends even when the
 * upstream cut it; or all of it, proven whole. docs/comparison.md has what clients then get.
 */
export type Holds = 'what-came' | 'unproven-buffer' | 'proven-whole';

export interface Peer {
  /** As on the command line. */
  readonly name: string;
  /** How it is set up, in a few words for the table's legend. */
  readonly setUp: string;
  readonly holds: Holds;
  /** It keeps the upstream's connection, full of octets, when the client leaves in the middle of an answer. */
  readonly keepsAbandoned?: true;
  /** Null: it is not installed. */
  version(): string | null;
  start(place: Place): RunningCommand;
}
