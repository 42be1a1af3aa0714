/** What a script or another server asks by default. */

import { plan, type Scenario } from '../scenario.ts';

export const getClosed: Scenario = {
  name: 'get-closed',
  title: 'no body, close',
  purpose: 'Whether an answer that ends the connection arrives whole.',
  plan: plan({}),
};
