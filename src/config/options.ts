/** The rows of the option table, by group: each option with its type, its default and its purpose. */

import type { Rows } from './option-type.ts';
import {
  choice,
  count,
  duration,
  host,
  methods,
  onOff,
  path,
  port,
  size,
  socketPath,
  streamed,
  target,
  trustedPeers,
} from './types.ts';
import { GIB, KIB, MIB, MINUTE_MS, SECOND_MS } from './units.ts';

export const LISTENING: Rows<
  'target' | 'port' | 'host' | 'socketPath' | 'tlsCert' | 'tlsKey' | 'admin' | 'adminPort' | 'adminHost'
> = {
  target: {
    setting: 'target',
    name: 'target',
    type: target,
    default: { kind: 'tcp', tls: false, host: '127.0.0.1', port: 8000 },
    purpose: 'The server to proxy to: a URL, host:port, a local port, or unix:/path.',
  },
  port: {
    setting: 'port',
    name: 'port',
    type: port,
    default: 8080,
    purpose: 'The port that clients connect to; 0 picks a free one.',
  },
  host: {
    setting: 'host',
    name: 'host',
    type: host,
    default: '127.0.0.1',
    purpose: 'The address to listen on; 0.0.0.0 accepts other machines and containers.',
  },
  socketPath: {
    setting: 'socketPath',
    name: 'socket',
    type: socketPath,
    default: null,
    purpose: 'Listen on this Unix socket instead of a host and port.',
  },
  tlsCert: {
    setting: 'tlsCert',
    name: 'tls-cert',
    type: path,
    default: null,
    purpose: 'Serve TLS to clients with this certificate chain (PEM).',
  },
  tlsKey: {
    setting: 'tlsKey',
    name: 'tls-key',
    type: path,
    default: null,
    purpose: 'The private key for --tls-cert (PEM).',
  },
  admin: {
    setting: 'admin',
    name: 'admin',
    type: onOff,
    default: true,
    purpose: 'Serve the inspector, its API, metrics and health checks on a second port.',
  },
  adminPort: {
    setting: 'adminPort',
    name: 'admin-port',
    type: port,
    default: 8081,
    purpose: 'The port of the inspector, metrics and health checks; 0 picks a free one.',
  },
  adminHost: {
    setting: 'adminHost',
    name: 'admin-host',
    type: host,
    default: '127.0.0.1',
    purpose: 'The address of the admin port; anyone who can reach it can see the traffic.',
  },
};

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

export const STREAMING: Rows<'stream'> = {
  stream: {
    setting: 'stream',
    name: 'stream',
    type: streamed,
    default: [],
    purpose: 'Pass these paths and media types through unbuffered; event streams and WebSockets always are.',
  },
};

export const LOGS: Rows<'logLevel' | 'accessLog' | 'quiet'> = {
  logLevel: {
    setting: 'logLevel',
    name: 'log-level',
    type: choice('error', 'warn', 'info', 'debug'),
    default: 'info',
    purpose: 'The least severe messages to log; warn logs only problems.',
  },
  accessLog: {
    setting: 'accessLog',
    name: 'access-log',
    type: choice('auto', 'pretty', 'json', 'combined', 'off'),
    default: 'auto',
    purpose: 'Format of the access log; auto is pretty on a terminal, json elsewhere.',
  },
  quiet: {
    setting: 'quiet',
    name: 'quiet',
    type: onOff,
    default: false,
    purpose: 'Log only problems, and skip the startup message.',
  },
};
