/** An upload that is refused, or answered, before it is over. */

import { plan, type Scenario } from '../scenario.ts';

export const lengthHalf: Scenario = {
  name: 'length-half',
  title: 'Content-Length body, close, half of it sent',
  purpose: 'What an early answer does to a client in the middle of its upload.',
  plan: plan({ framing: 'length', sent: 'half', reader: 'slow' }),
};
