/** Options: when a request is tried again, and when it waits. */

import { methods } from '../list-types.ts';
import type { Rows } from '../option-type.ts';
import { count, duration } from '../scalar-types.ts';
import { SECOND_MS } from '../units.ts';

export const RETRY: Rows<'retries' | 'retryMethods' | 'retryBackoffMs' | 'waitForUpstreamMs' | 'maxWaiting'> =
  {
    retries: {
      setting: 'retries',
      name: 'retries',
      type: count({ min: 0, max: 10 }),
      default: 2,
      purpose: 'Further tries after a response that was cut short; 0 tries once.',
    },
    retryMethods: {
      setting: 'retryMethods',
      name: 'retry-methods',
      type: methods,
      default: ['GET', 'HEAD', 'OPTIONS', 'TRACE'],
      purpose: 'Methods that may be tried again; add PUT and DELETE if repeating them is harmless here.',
    },
    retryBackoffMs: {
      setting: 'retryBackoffMs',
      name: 'retry-backoff',
      type: duration,
      default: 100,
      purpose: 'Pause before the second try; it doubles with each further one.',
    },
    waitForUpstreamMs: {
      setting: 'waitForUpstreamMs',
      name: 'wait-for-upstream',
      type: duration,
      default: 10 * SECOND_MS,
      purpose: 'How long a request waits for a server that is restarting; 0 refuses it at once with 503.',
    },
    maxWaiting: {
      setting: 'maxWaiting',
      name: 'max-waiting',
      type: count({ min: 0, max: 100_000 }),
      default: 256,
      purpose: 'Requests that may wait for the upstream at once; more are refused with 503.',
    },
  };
