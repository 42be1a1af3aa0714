/** How faults are told to a person at a terminal. */

import { faultText } from '../config/fault.ts';
import type { Fault } from '../config/fault.ts';

/** One line a fault, below a line that counts them. */
export function faultReport(faults: readonly Fault[], where = 'in the configuration'): string {
  const count = faults.length === 1 ? 'one fault' : `${faults.length} faults`;
  const lines = faults.map((fault) => `  ${faultText(fault)}`);
  return `lastbyte: ${count} ${where}\n${lines.join('\n')}\n`;
}
