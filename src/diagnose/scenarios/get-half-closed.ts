/** A client that says all it has to say, and closes its side. */

import { plan, type Scenario } from '../scenario.ts';

export const getHalfClosed: Scenario = {
  name: 'get-half-closed',
  title: 'no body, close, half-closed',
  purpose: 'Whether a client that has sent its FIN still gets its answer (RFC 9112 section 9.6).',
  plan: plan({ halfClose: true }),
};
