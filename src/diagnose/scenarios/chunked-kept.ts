/** A proxy that passes chunks on. */

import { plan, type Scenario } from '../scenario.ts';

export const chunkedKept: Scenario = {
  name: 'chunked-kept',
  title: 'chunked body, keep-alive, then a GET',
  purpose: 'Whether keep-alive spares the answer, and whether an unread body spoils the next request.',
  plan: plan({ framing: 'chunked', connection: 'keep-alive', again: true }),
};
