/** A client with a connection pool. */

import { plan, type Scenario } from '../scenario.ts';

export const lengthKept: Scenario = {
  name: 'length-kept',
  title: 'Content-Length body, keep-alive, then a GET',
  purpose: 'Whether keep-alive spares the answer, and whether an unread body spoils the next request.',
  plan: plan({ framing: 'length', connection: 'keep-alive', again: true }),
};
