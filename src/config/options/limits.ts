/** Options: how much may be received and buffered. */

import { duration, path, size } from '../scalar-types.ts';
import type { Rows } from '../option-type.ts';
import { GIB, KIB, MIB, SECOND_MS } from '../units.ts';

const TIB = 1024 * GIB;

export const LIMITS: Rows<
  | 'maxRequestBodyBytes'
  | 'maxResponseBodyBytes'
  | 'maxHeaderBytes'
  | 'memoryPerBodyBytes'
  | 'memoryTotalBytes'
  | 'diskTotalBytes'
  | 'spoolDir'
  | 'spoolWaitMs'
> = {
  maxRequestBodyBytes: {
    setting: 'maxRequestBodyBytes',
    name: 'max-request-body',
    type: size({ min: 1, max: TIB }),
    default: GIB,
    purpose: 'Refuse a larger request body with 413; raise it for larger uploads.',
  },
  maxResponseBodyBytes: {
    setting: 'maxResponseBodyBytes',
    name: 'max-response-body',
    type: size({ min: 1, max: TIB }),
    default: 4 * GIB,
    purpose: 'Refuse a larger response with 502; raise it for larger downloads, or --stream them.',
  },
  maxHeaderBytes: {
    setting: 'maxHeaderBytes',
    name: 'max-header',
    type: size({ min: KIB, max: 16 * MIB }),
    default: 64 * KIB,
    purpose: 'The largest request or response head; raise it for very large cookies.',
  },
  memoryPerBodyBytes: {
    setting: 'memoryPerBodyBytes',
    name: 'memory-per-body',
    type: size({ min: 0, max: 2 * GIB }),
    default: 16 * MIB,
    purpose: 'A body up to this is kept in memory, a larger one in a temporary file.',
  },
  memoryTotalBytes: {
    setting: 'memoryTotalBytes',
    name: 'memory-total',
    type: size({ min: 0, max: TIB }),
    default: 96 * MIB,
    purpose: 'Memory for all buffered bodies together; lower it in a small container.',
  },
  diskTotalBytes: {
    setting: 'diskTotalBytes',
    name: 'disk-total',
    type: size({ min: 0, max: TIB }),
    default: 4 * GIB,
    purpose: 'Disk for all buffered bodies together; 0 never writes a file.',
  },
  spoolDir: {
    setting: 'spoolDir',
    name: 'spool-dir',
    type: path,
    default: null,
    purpose: "Folder for temporary files; without it, the system's own.",
  },
  spoolWaitMs: {
    setting: 'spoolWaitMs',
    name: 'spool-wait',
    type: duration,
    default: 30 * SECOND_MS,
    purpose: 'How long a body waits when --disk-total is used up by others; then 503.',
  },
};
