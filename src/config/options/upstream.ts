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
    purpose: 'Accept an https upstream whose certificate cannot be verified, such as a self-signed one.',
  },
  changeOrigin: {
    setting: 'changeOrigin',
    name: 'change-origin',
    type: onOff,
    default: false,
    purpose: "Send the target's own Host field, for an upstream that refuses the client's.",
  },
  unverifiable: {
    setting: 'unverifiable',
    name: 'unverifiable',
    type: choice('deliver', 'refuse'),
    default: 'deliver',
    purpose: 'What becomes of a body that ends with its connection, so that nothing proves it; refuse: 502.',
  },
  trustProxy: {
    setting: 'trustProxy',
    name: 'trust-proxy',
    type: trustedPeers,
    default: [],
    purpose: 'Keep the X-Forwarded-*, X-Real-IP and Forwarded fields of these peers: the proxies in front.',
  },
  withholdBody: {
    setting: 'withholdBody',
    name: 'withhold-body',
    type: choice('auto', 'always', 'off'),
    default: 'auto',
    purpose: 'Hold a request body back until the upstream had a chance to answer without it.',
  },
  bodyHoldMs: {
    setting: 'bodyHoldMs',
    name: 'body-hold',
    type: duration,
    default: 100,
    purpose: 'How long a body is held back; raise it for views that answer late without reading it.',
  },
  bodyHoldMaxMs: {
    setting: 'bodyHoldMaxMs',
    name: 'body-hold-max',
    type: duration,
    default: 5 * SECOND_MS,
    purpose: 'How long it is held back on a route that was seen to cut its response.',
  },
  upstreamIdleTimeoutMs: {
    setting: 'upstreamIdleTimeoutMs',
    name: 'upstream-idle-timeout',
    type: duration,
    default: 4 * SECOND_MS,
    purpose: "Close an idle upstream connection after this; keep it under the upstream's own limit.",
  },
  maxIdleConnections: {
    setting: 'maxIdleConnections',
    name: 'max-idle-connections',
    type: count({ min: 0, max: 10_000 }),
    default: 256,
    purpose: 'Idle upstream connections to keep for reuse; 0 opens a new one each time.',
  },
};

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
