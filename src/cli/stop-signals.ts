/** SIGTERM and SIGINT: the first one ends the proxy in order, a second one at once. */

export interface Stoppable {
  close(): Promise<void>;
  destroy(): void;
}

/** How the proxy came to its end. */
export type Stop = 'closed' | 'destroyed';

const STOP_SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/**
 * Ctrl-C in a terminal reaches us twice under npx or `npm run`: from the terminal, and from npm, which passes on
 * its own copy (@npmcli/run-script, signal-manager.js). Only what comes later than this is a second wish.
 */
const ECHO_MS = 500;

/** Resolves when a signal has ended the proxy; `onStopping` hears the first one. */
export function untilStopped(proxy: Stoppable, onStopping: (signal: NodeJS.Signals) => void): Promise<Stop> {
  return new Promise<Stop>((resolve, reject) => {
    let firstAtMs: number | null = null;
    let stop: Stop = 'closed';
    const settle = (): void => {
      // An echo that comes just now must not kill the process over its last lines; if it hangs, a later signal may.
      setTimeout(() => {
        for (const name of STOP_SIGNALS) process.off(name, onSignal);
      }, ECHO_MS).unref();
      resolve(stop);
    };
    const onSignal = (signal: NodeJS.Signals): void => {
      const nowMs = performance.now();
      if (firstAtMs === null) {
        firstAtMs = nowMs;
        proxy.close().then(settle, reject);
        // Not before: whoever reads it may count on it that nothing is accepted any more.
        onStopping(signal);
      } else if (nowMs - firstAtMs >= ECHO_MS) {
        stop = 'destroyed';
        // `close` resolves now: the exchanges that are cut have only their records to write.
        proxy.destroy();
      }
    };
    for (const name of STOP_SIGNALS) process.on(name, onSignal);
  });
}
