/** The fault at its worst, with a length. */

import { plan, type Scenario } from '../scenario.ts';

export const lengthSlow: Scenario = {
  name: 'length-slow',
  title: 'Content-Length body, close, slow reader',
  purpose: 'The same when the answer has not left the buffers by then.',
  plan: plan({ framing: 'length', reader: 'slow' }),
};
