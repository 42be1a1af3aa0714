/** Options: how much may be received and buffered, and how long each stage of an exchange may take. */

import type { Rows } from '../option-type.ts';
import { duration, path, size } from '../types.ts';
import { GIB, KIB, MIB, SECOND_MS, MINUTE_MS } from '../units.ts';

const TIB = 1024 * GIB;

export const LIMITS: Rows<
  | 'maxRequestBodyBytes'
  | 'maxResponseBodyBytes'
  | 'maxHeaderBytes'
  | 'memoryPerBodyBytes'
  | 'memoryTotalBytes'
  | 'diskTotalBytes'
  | 'spoolDir'
  | 'spoolWaitMs'
> = {
  maxRequestBodyBytes: {
    setting: 'maxRequestBodyBytes',
    name: 'max-request-body',
    type: size({ min: 1, max: TIB }),
    default: GIB,
    purpose: 'Refuse a larger request body with 413; raise it for larger uploads.',
  },
  maxResponseBodyBytes: {
    setting: 'maxResponseBodyBytes',
    name: 'max-response-body',
    type: size({ min: 1, max: TIB }),
    default: 4 * GIB,
    purpose: 'Refuse a larger response with 502; raise it for larger downloads, or --stream them.',
  },
  maxHeaderBytes: {
    setting: 'maxHeaderBytes',
    name: 'max-header',
    type: size({ min: KIB, max: 16 * MIB }),
    default: 64 * KIB,
    purpose: 'The largest request or response head; raise it for very large cookies.',
  },
  memoryPerBodyBytes: {
    setting: 'memoryPerBodyBytes',
    name: 'memory-per-body',
    type: size({ min: 0, max: 2 * GIB }),
    default: 16 * MIB,
    purpose: 'A body up to this is kept in memory, a larger one in a temporary file.',
  },
  memoryTotalBytes: {
    setting: 'memoryTotalBytes',
    name: 'memory-total',
    type: size({ min: 0, max: TIB }),
    default: 96 * MIB,
    purpose: 'Memory for all buffered bodies together; lower it in a small container.',
  },
  diskTotalBytes: {
    setting: 'diskTotalBytes',
    name: 'disk-total',
    type: size({ min: 0, max: TIB }),
    default: 4 * GIB,
    purpose: 'Disk for all buffered bodies together; 0 never writes a file.',
  },
  spoolDir: {
    setting: 'spoolDir',
    name: 'spool-dir',
    type: path,
    default: null,
    purpose: "Folder for temporary files; without it, the system's own.",
  },
  spoolWaitMs: {
    setting: 'spoolWaitMs',
    name: 'spool-wait',
    type: duration,
    default: 30 * SECOND_MS,
    purpose: 'How long a body waits when --disk-total is used up by others; then 503.',
  },
};

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
    purpose: 'How long it may take to begin its response; raise it for slow views, 0 waits for ever.',
  },
  bodyIdleTimeoutMs: {
    setting: 'bodyIdleTimeoutMs',
    name: 'body-idle-timeout',
    type: duration,
    default: MINUTE_MS,
    purpose: 'How long it may pause in the middle of a response; 0 waits for ever.',
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
    purpose: 'How long a client may take no byte of its response; 0 waits for ever.',
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
