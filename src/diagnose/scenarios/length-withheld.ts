/** The cure: the head alone, and the body only when the server seems to wait for it. */

import { plan, type Scenario } from '../scenario.ts';

export const lengthWithheld: Scenario = {
  name: 'length-withheld',
  title: 'Content-Length body, close, withheld',
  purpose: 'Whether the server answers without the body, so that nothing is unread when it closes.',
  plan: plan({ framing: 'length', sent: 'withheld', reader: 'slow' }),
};
