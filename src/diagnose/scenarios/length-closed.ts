/** A form, or JSON, from a client that does not keep its connection. */

import { plan, type Scenario } from '../scenario.ts';

export const lengthClosed: Scenario = {
  name: 'length-closed',
  title: 'Content-Length body, close',
  purpose: 'Whether a body of known length is read before the connection is closed.',
  plan: plan({ framing: 'length' }),
};
