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
      for (const name of STOP_SIGNALS) process.off(name, onSignal);
      resolve(stop);
    };
    const onSignal = (signal: NodeJS.Signals): void => {
      const nowMs = performance.now();
      if (firstAtMs === null) {
        firstAtMs = nowMs;
        onStopping(signal);
        proxy.close().then(settle, reject);
      } else if (nowMs - firstAtMs >= ECHO_MS) {
        stop = 'destroyed';
        // `close` resolves now: the exchanges that are cut have only their records to write.
        proxy.destroy();
      }
    };
    for (const name of STOP_SIGNALS) process.on(name, onSignal);
  });
}
