/** The error of a program that gave `createProxy` options which do not hold. */

import { faultText, type Fault } from './fault.ts';

/** All that is wrong, at once: in `faults`, and one a line in `message`. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'ERR_LASTBYTE_CONFIG';
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[]) {
    super(faults.map(faultText).join('\n'));
    this.faults = faults;
  }
}
