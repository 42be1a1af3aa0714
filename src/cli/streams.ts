/** Where the program speaks. */

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
