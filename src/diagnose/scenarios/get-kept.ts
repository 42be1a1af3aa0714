/** The plainest case: everything else is compared with it. */

import { plan, type Scenario } from '../scenario.ts';

export const getKept: Scenario = {
  name: 'get-kept',
  title: 'no body, keep-alive, asked twice',
  purpose: 'Whether a kept connection carries a second request.',
  plan: plan({ connection: 'keep-alive', again: true }),
};
