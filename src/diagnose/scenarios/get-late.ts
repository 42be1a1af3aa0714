/** A client that is busy with something else when its answer comes. */

import { plan, type Scenario } from '../scenario.ts';

export const getLate: Scenario = {
  name: 'get-late',
  title: 'no body, close, late reader',
  purpose: 'Whether an answer survives in the buffers while nobody reads it.',
  plan: plan({ reader: 'late' }),
};
