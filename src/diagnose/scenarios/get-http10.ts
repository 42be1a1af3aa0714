/** ab, old health checks, and proxies that speak HTTP/1.0 upstream. */

import { plan, type Scenario } from '../scenario.ts';

export const getHttp10: Scenario = {
  name: 'get-http10',
  title: 'no body, HTTP/1.0',
  purpose: 'How a client of HTTP/1.0 is answered.',
  plan: plan({ version: '1.0' }),
};
