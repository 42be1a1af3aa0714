/** The method given, with Content-Length: 0: what differs from it with a body is owed to the body. */

import { plan, type Scenario } from '../scenario.ts';

export const emptyClosed: Scenario = {
  name: 'empty-closed',
  title: 'empty body, close',
  purpose: 'Whether the method given is answered whole when there is nothing to leave unread.',
  plan: plan({ method: 'given' }),
};
