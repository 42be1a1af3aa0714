/** Where the program speaks, and how it tells of faults there. */

import { faultText } from '../config/fault.ts';
import type { Fault } from '../config/fault.ts';

/** The part of `process.stdout` that the program uses. */
export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

export interface Streams {
  /** What was asked for, and the log. */
  readonly stdout: Output;
  /** Why it did not work. */
  readonly stderr: Output;
}

/**
 * Keeps `lastbyte | head` alive: an `'error'` without a listener ends the process, and a reader that has left is
 * no reason to drop the clients.
 */
export function ignoreBrokenPipe({ stdout, stderr }: Streams): void {
  for (const stream of [stdout, stderr]) stream.on('error', () => undefined);
}

/** One line a fault, below a line that counts them. */
export function faultReport(faults: readonly Fault[], where = 'in the configuration'): string {
  const count = faults.length === 1 ? 'one fault' : `${faults.length} faults`;
  const lines = faults.map((fault) => `  ${faultText(fault)}`);
  return `lastbyte: ${count} ${where}\n${lines.join('\n')}\n`;
}
