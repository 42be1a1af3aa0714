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
    purpose: 'The largest request body; a larger one gets a 413.',
  },
  maxResponseBodyBytes: {
    setting: 'maxResponseBodyBytes',
    name: 'max-response-body',
    type: size({ min: 1, max: TIB }),
    default: 4 * GIB,
    purpose:
      'The largest buffered response body; a larger one becomes a 502. Use --stream for big downloads.',
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
    purpose: 'Keep a body in memory up to this size; spool a larger one to a temporary file.',
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
    purpose: 'Disk space for all buffered bodies together; 0 never writes a file.',
  },
  spoolDir: {
    setting: 'spoolDir',
    name: 'spool-dir',
    type: path,
    default: null,
    purpose: "Folder for temporary files; by default the system's own.",
  },
  spoolWaitMs: {
    setting: 'spoolWaitMs',
    name: 'spool-wait',
    type: duration,
    default: 30 * SECOND_MS,
    purpose: 'How long a body waits for space when --disk-total is used up; then it fails with 503.',
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
    purpose: 'How long connecting to the upstream may take; 0 leaves it to the system.',
  },
  firstByteTimeoutMs: {
    setting: 'firstByteTimeoutMs',
    name: 'first-byte-timeout',
    type: duration,
    default: 5 * MINUTE_MS,
    purpose:
      'How long the upstream may take to start its response; raise it for slow views. 0 waits forever.',
  },
  bodyIdleTimeoutMs: {
    setting: 'bodyIdleTimeoutMs',
    name: 'body-idle-timeout',
    type: duration,
    default: MINUTE_MS,
    purpose: 'How long the upstream may pause in the middle of a response; 0 waits forever.',
  },
  clientSendTimeoutMs: {
    setting: 'clientSendTimeoutMs',
    name: 'client-send-timeout',
    type: duration,
    default: MINUTE_MS,
    purpose: 'How long a client may pause while sending its request; 0 waits forever.',
  },
  clientReceiveTimeoutMs: {
    setting: 'clientReceiveTimeoutMs',
    name: 'client-receive-timeout',
    type: duration,
    default: MINUTE_MS,
    purpose: 'How long a client may go without reading any of its response; 0 waits forever.',
  },
  keepAliveTimeoutMs: {
    setting: 'keepAliveTimeoutMs',
    name: 'keep-alive-timeout',
    type: duration,
    default: 75 * SECOND_MS,
    purpose: "Close an idle client connection after this; keep it above a load balancer's own limit.",
  },
  lingerTimeoutMs: {
    setting: 'lingerTimeoutMs',
    name: 'linger-timeout',
    type: duration,
    default: 2 * SECOND_MS,
    purpose: 'After the last response, how long to wait for the client to close before closing our side.',
  },
  lingerTotalMs: {
    setting: 'lingerTotalMs',
    name: 'linger-total',
    type: duration,
    default: 30 * SECOND_MS,
    purpose: 'How long to keep a finished connection open, at most, for the client to close its side.',
  },
  shutdownTimeoutMs: {
    setting: 'shutdownTimeoutMs',
    name: 'shutdown-timeout',
    type: duration,
    default: 10 * SECOND_MS,
    purpose:
      "How long to let running exchanges finish on shutdown; keep it below the container's grace period.",
  },
};
