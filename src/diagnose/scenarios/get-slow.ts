/** The ticket as its reporter understood it: a close that overtakes the send buffer. */

import { plan, type Scenario } from '../scenario.ts';

export const getSlow: Scenario = {
  name: 'get-slow',
  title: 'no body, close, slow reader',
  purpose: 'Whether the server waits until its answer has been sent before it closes.',
  plan: plan({ reader: 'slow' }),
};
