/** What curl does with a large body. */

import { plan, type Scenario } from '../scenario.ts';

export const lengthExpect: Scenario = {
  name: 'length-expect',
  title: 'Content-Length body, close, Expect',
  purpose: 'Whether 100 (Continue) is sent only when the body is wanted.',
  plan: plan({ framing: 'length', sent: 'on-continue', reader: 'slow' }),
};
