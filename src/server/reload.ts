/** Which settings other settings can replace while the proxy runs: a pure decision. */

import type { Settings } from '../config/settings.ts';

/** Listening sockets and budgets are made once. */
const ONLY_AT_START = [
  'port',
  'host',
  'socketPath',
  'tlsCert',
  'tlsKey',
  'admin',
  'adminPort',
  'adminHost',
  'maxHeaderBytes',
  'memoryTotalBytes',
  'diskTotalBytes',
  'spoolDir',
] as const satisfies readonly (keyof Settings)[];

export interface Reloaded {
  /** The wanted settings, except those that only a restart can put in force. */
  readonly settings: Settings;
  /** The names of those that differ. */
  readonly needRestart: readonly (keyof Settings)[];
}

export function reloaded(inForce: Settings, wanted: Settings): Reloaded {
  const kept = Object.fromEntries(ONLY_AT_START.map((name) => [name, inForce[name]]));
  return {
    settings: Object.freeze({ ...wanted, ...kept }),
    needRestart: ONLY_AT_START.filter((name) => inForce[name] !== wanted[name]),
  };
}
