/** The fault at its worst, in chunks. */

import { plan, type Scenario } from '../scenario.ts';

export const chunkedSlow: Scenario = {
  name: 'chunked-slow',
  title: 'chunked body, close, slow reader',
  purpose: 'The same when the answer has not left the buffers by then.',
  plan: plan({ framing: 'chunked', reader: 'slow' }),
};
