/** A streamed upload: fetch with a stream, Node's http without a length. */

import { plan, type Scenario } from '../scenario.ts';

export const chunkedClosed: Scenario = {
  name: 'chunked-closed',
  title: 'chunked body, close',
  purpose: 'Whether a chunked body is read before the connection is closed.',
  plan: plan({ framing: 'chunked' }),
};
