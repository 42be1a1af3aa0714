/** Options: how requests go to the upstream, when one is tried again, and when it waits. */

import { choice, count, duration, methods, onOff, trustedPeers } from '../types.ts';
import type { Rows } from '../option-type.ts';
import { SECOND_MS } from '../units.ts';

export const UPSTREAM: Rows<
  | 'insecure'
  | 'changeOrigin'
  | 'unverifiable'
  | 'trustProxy'
  | 'withholdBody'
  | 'bodyHoldMs'
  | 'bodyHoldMaxMs'
  | 'upstreamIdleTimeoutMs'
  | 'maxIdleConnections'
> = {
  insecure: {
    setting: 'insecure',
    name: 'insecure',
    type: onOff,
    default: false,
    purpose: 'Skip certificate verification for an https upstream, e.g. with a self-signed certificate.',
  },
  changeOrigin: {
    setting: 'changeOrigin',
    name: 'change-origin',
    type: onOff,
    default: false,
    purpose: "Send the target's host in the Host header, for an upstream that rejects the client's.",
  },
  unverifiable: {
    setting: 'unverifiable',
    name: 'unverifiable',
    type: choice('deliver', 'refuse'),
    default: 'deliver',
    purpose: 'What to do with a body that has no length and ends with its connection; refuse sends a 502.',
  },
  trustProxy: {
    setting: 'trustProxy',
    name: 'trust-proxy',
    type: trustedPeers,
    default: [],
    purpose: 'Keep X-Forwarded-*, X-Real-IP and Forwarded from these addresses: the proxies in front.',
  },
  withholdBody: {
    setting: 'withholdBody',
    name: 'withhold-body',
    type: choice('auto', 'always', 'off'),
    default: 'auto',
    purpose: 'Hold the request body back, so that the upstream can respond without it.',
  },
  bodyHoldMs: {
    setting: 'bodyHoldMs',
    name: 'body-hold',
    type: duration,
    default: 100,
    purpose: 'How long to hold a body back; raise it for slow views that never read the body.',
  },
  bodyHoldMaxMs: {
    setting: 'bodyHoldMaxMs',
    name: 'body-hold-max',
    type: duration,
    default: 5 * SECOND_MS,
    purpose: 'How long to hold a body back on a route that has cut a response before.',
  },
  upstreamIdleTimeoutMs: {
    setting: 'upstreamIdleTimeoutMs',
    name: 'upstream-idle-timeout',
    type: duration,
    default: 4 * SECOND_MS,
    purpose: "Close an idle upstream connection after this; keep it below the upstream's own limit.",
  },
  maxIdleConnections: {
    setting: 'maxIdleConnections',
    name: 'max-idle-connections',
    type: count({ min: 0, max: 10_000 }),
    default: 1024,
    purpose: 'Idle upstream connections to keep for reuse; 0 opens a new one for each request.',
  },
};

export const RETRY: Rows<'retries' | 'retryMethods' | 'retryBackoffMs' | 'waitForUpstreamMs' | 'maxWaiting'> =
  {
    retries: {
      setting: 'retries',
      name: 'retries',
      type: count({ min: 0, max: 10 }),
      default: 2,
      purpose: 'Retries after a response was cut short; 0 disables them.',
    },
    retryMethods: {
      setting: 'retryMethods',
      name: 'retry-methods',
      type: methods,
      default: ['GET', 'HEAD', 'OPTIONS', 'TRACE'],
      purpose: 'Methods that may be retried; add PUT and DELETE if repeating them is safe for your server.',
    },
    retryBackoffMs: {
      setting: 'retryBackoffMs',
      name: 'retry-backoff',
      type: duration,
      default: 100,
      purpose: 'Delay before the first retry; it doubles with each further one.',
    },
    waitForUpstreamMs: {
      setting: 'waitForUpstreamMs',
      name: 'wait-for-upstream',
      type: duration,
      default: 10 * SECOND_MS,
      purpose: 'How long a request waits for an upstream that is restarting; 0 fails it at once with 503.',
    },
    maxWaiting: {
      setting: 'maxWaiting',
      name: 'max-waiting',
      type: count({ min: 0, max: 100_000 }),
      default: 256,
      purpose: 'How many requests may wait for the upstream at once; any more fail with 503.',
    },
  };
