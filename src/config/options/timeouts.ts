/** Options: how long each stage of an exchange may take. */

import type { Rows } from '../option-type.ts';
import { duration } from '../scalar-types.ts';
import { MINUTE_MS, SECOND_MS } from '../units.ts';

export const TIMEOUTS: Rows<
  | 'connectTimeoutMs'
  | 'firstByteTimeoutMs'
  | 'bodyIdleTimeoutMs'
  | 'clientSendTimeoutMs'
  | 'clientReceiveTimeoutMs'
  | 'keepAliveTimeoutMs'
  | 'lingerTimeoutMs'
  | 'lingerTotalMs'
  | 'shutdownTimeoutMs'
> = {
  connectTimeoutMs: {
    setting: 'connectTimeoutMs',
    name: 'connect-timeout',
    type: duration,
    default: 5 * SECOND_MS,
    purpose: 'How long the upstream may take to accept a connection; 0 leaves it to the system.',
  },
  firstByteTimeoutMs: {
    setting: 'firstByteTimeoutMs',
    name: 'first-byte-timeout',
    type: duration,
    default: 5 * MINUTE_MS,
    purpose: 'How long it may take to begin its answer; raise it for slow views, 0 waits for ever.',
  },
  bodyIdleTimeoutMs: {
    setting: 'bodyIdleTimeoutMs',
    name: 'body-idle-timeout',
    type: duration,
    default: MINUTE_MS,
    purpose: 'How long it may pause in the middle of an answer; 0 waits for ever.',
  },
  clientSendTimeoutMs: {
    setting: 'clientSendTimeoutMs',
    name: 'client-send-timeout',
    type: duration,
    default: MINUTE_MS,
    purpose: 'How long a client may pause in the middle of a request; 0 waits for ever.',
  },
  clientReceiveTimeoutMs: {
    setting: 'clientReceiveTimeoutMs',
    name: 'client-receive-timeout',
    type: duration,
    default: MINUTE_MS,
    purpose: 'How long a client may take no byte of its answer; 0 waits for ever.',
  },
  keepAliveTimeoutMs: {
    setting: 'keepAliveTimeoutMs',
    name: 'keep-alive-timeout',
    type: duration,
    default: 75 * SECOND_MS,
    purpose: "Close an idle client connection after this; keep it over a load balancer's own limit.",
  },
  lingerTimeoutMs: {
    setting: 'lingerTimeoutMs',
    name: 'linger-timeout',
    type: duration,
    default: 2 * SECOND_MS,
    purpose: 'How long the client is left to close first, before the proxy does.',
  },
  lingerTotalMs: {
    setting: 'lingerTotalMs',
    name: 'linger-total',
    type: duration,
    default: 30 * SECOND_MS,
    purpose: "How long a finished connection is kept for the client's end of it.",
  },
  shutdownTimeoutMs: {
    setting: 'shutdownTimeoutMs',
    name: 'shutdown-timeout',
    type: duration,
    default: 10 * SECOND_MS,
    purpose: "How long a stop waits for exchanges under way; keep it under the container's grace period.",
  },
};
