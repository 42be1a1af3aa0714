/** Bodies that either side can make for itself: a window on numbered lines, moved by the number of the request. */

import { numberedBody } from '../../test/real/numbered-body.ts';

export const LARGEST_BODY_BYTES = 2 * 1024 * 1024;
const OFFSETS_BYTES = 1024 * 1024;
/** Prime, so that neighbouring requests lie far apart and none begins where a line does. */
const STEP_BYTES = 7919;

const lines = numberedBody(LARGEST_BODY_BYTES + OFFSETS_BYTES);

/** Not a copy: nobody may write into it. */
export function bodyOf(id: number, bytes: number): Buffer {
  const from = (id * STEP_BYTES) % OFFSETS_BYTES;
  return lines.subarray(from, from + bytes);
}
