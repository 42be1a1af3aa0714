/** nginx toward its upstream, unless it is told otherwise. */

import { plan, type Scenario } from '../scenario.ts';

export const lengthHttp10: Scenario = {
  name: 'length-http10',
  title: 'Content-Length body, HTTP/1.0',
  purpose: 'Whether a body is read before the close that HTTP/1.0 implies.',
  plan: plan({ framing: 'length', version: '1.0', reader: 'slow' }),
};
