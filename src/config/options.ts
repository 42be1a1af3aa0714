/** The one table of options: flags, variables, file keys, help, defaults, schema and documents come from it. */

import type { SettingName, Settings } from './settings.ts';
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
import type { ConfigValue, OptionType, Unit } from './types.ts';
import { GIB, KIB, MIB, MINUTE_MS, SECOND_MS } from './units.ts';

/** A row whose type and default fit the setting that it is for. */
interface Row<S extends SettingName> {
  readonly type: OptionType<Settings[S], UnitOf<S>>;
  readonly default: Settings[S];
  /** Why someone would change it: one sentence. */
  readonly purpose: string;
}

/** The unit in the setting's name, which its type must have too. */
type UnitOf<S extends SettingName> = S extends `${string}Ms`
  ? 'ms'
  : S extends `${string}Bytes`
    ? 'bytes'
    : null;

type Rows = { readonly [S in SettingName]: Row<S> };

const LISTENING = {
  target: {
    type: target,
    default: { kind: 'tcp', tls: false, host: '127.0.0.1', port: 8000 },
    purpose: 'The server to proxy to: a URL, host:port, a local port, or unix:/path.',
  },
  port: {
    type: port,
    default: 8080,
    purpose: 'The port that clients connect to; 0 picks a free one.',
  },
  host: {
    type: host,
    default: '127.0.0.1',
    purpose: 'The address to listen on; 0.0.0.0 accepts other machines and containers.',
  },
  socketPath: {
    type: socketPath,
    default: null,
    purpose: 'Listen on this Unix socket instead of a host and port.',
  },
  tlsCert: {
    type: path,
    default: null,
    purpose: 'Serve TLS to clients with this certificate chain (PEM).',
  },
  tlsKey: {
    type: path,
    default: null,
    purpose: 'The private key for --tls-cert (PEM).',
  },
  admin: {
    type: onOff,
    default: true,
    purpose: 'Serve the inspector, its API, metrics and health checks on a second port.',
  },
  adminPort: {
    type: port,
    default: 8081,
    purpose: 'The port of the inspector, metrics and health checks; 0 picks a free one.',
  },
  adminHost: {
    type: host,
    default: '127.0.0.1',
    purpose: 'The address of the admin port; anyone who can reach it can see the traffic.',
  },
} satisfies Partial<Rows>;

const UPSTREAM = {
  insecure: {
    type: onOff,
    default: false,
    purpose: 'Skip certificate verification for an https upstream, e.g. with a self-signed certificate.',
  },
  changeOrigin: {
    type: onOff,
    default: false,
    purpose: "Send the target's host in the Host header, for an upstream that rejects the client's.",
  },
  unverifiable: {
    type: choice('deliver', 'refuse'),
    default: 'deliver',
    purpose: 'What to do with a body that has no length and ends with its connection; refuse sends a 502.',
  },
  trustProxy: {
    type: trustedPeers,
    default: [],
    purpose: 'Keep X-Forwarded-*, X-Real-IP and Forwarded from these addresses: the proxies in front.',
  },
  withholdBody: {
    type: choice('auto', 'always', 'off'),
    default: 'auto',
    purpose: 'Hold the request body back, so that the upstream can respond without it.',
  },
  bodyHoldMs: {
    type: duration,
    default: 100,
    purpose: 'How long to hold a body back; raise it for slow views that never read the body.',
  },
  bodyHoldMaxMs: {
    type: duration,
    default: 5 * SECOND_MS,
    purpose: 'How long to hold a body back on a route that has cut a response before.',
  },
  upstreamIdleTimeoutMs: {
    type: duration,
    default: 4 * SECOND_MS,
    purpose: "Close an idle upstream connection after this; keep it below the upstream's own limit.",
  },
  maxIdleConnections: {
    type: count({ min: 0, max: 10_000 }),
    default: 1024,
    purpose: 'Idle upstream connections to keep for reuse; 0 opens a new one for each request.',
  },
} satisfies Partial<Rows>;

const RETRY = {
  retries: {
    type: count({ min: 0, max: 10 }),
    default: 2,
    purpose: 'Retries after a response was cut short; 0 disables them.',
  },
  retryMethods: {
    type: methods,
    default: ['GET', 'HEAD', 'OPTIONS', 'TRACE'],
    purpose: 'Methods that may be retried; add PUT and DELETE if repeating them is safe for your server.',
  },
  retryBackoffMs: {
    type: duration,
    default: 100,
    purpose: 'Delay before the first retry; it doubles with each further one.',
  },
  waitForUpstreamMs: {
    type: duration,
    default: 10 * SECOND_MS,
    purpose: 'How long a request waits for an upstream that is restarting; 0 fails it at once with 503.',
  },
  maxWaiting: {
    type: count({ min: 0, max: 100_000 }),
    default: 256,
    purpose: 'How many requests may wait for the upstream at once; any more fail with 503.',
  },
} satisfies Partial<Rows>;

const TIB = 1024 * GIB;

const LIMITS = {
  maxRequestBodyBytes: {
    type: size({ min: 1, max: TIB }),
    default: GIB,
    purpose: 'The largest request body; a larger one gets a 413.',
  },
  maxResponseBodyBytes: {
    type: size({ min: 1, max: TIB }),
    default: 4 * GIB,
    purpose:
      'The largest buffered response body; a larger one becomes a 502. Use --stream for big downloads.',
  },
  maxHeaderBytes: {
    type: size({ min: KIB, max: 16 * MIB }),
    default: 64 * KIB,
    purpose: 'The largest request or response head; raise it for very large cookies.',
  },
  memoryPerBodyBytes: {
    type: size({ min: 0, max: 2 * GIB }),
    default: 16 * MIB,
    purpose: 'Keep a body in memory up to this size; spool a larger one to a temporary file.',
  },
  memoryTotalBytes: {
    type: size({ min: 0, max: TIB }),
    default: 96 * MIB,
    purpose: 'Memory for all buffered bodies together; lower it in a small container.',
  },
  diskTotalBytes: {
    type: size({ min: 0, max: TIB }),
    default: 4 * GIB,
    purpose: 'Disk space for all buffered bodies together; 0 never writes a file.',
  },
  spoolDir: {
    type: path,
    default: null,
    purpose: "Folder for temporary files; by default the system's own.",
  },
  spoolWaitMs: {
    type: duration,
    default: 30 * SECOND_MS,
    purpose: 'How long a body waits for space when --disk-total is used up; then it fails with 503.',
  },
} satisfies Partial<Rows>;

const TIMEOUTS = {
  connectTimeoutMs: {
    type: duration,
    default: 5 * SECOND_MS,
    purpose: 'How long connecting to the upstream may take; 0 leaves it to the system.',
  },
  firstByteTimeoutMs: {
    type: duration,
    default: 5 * MINUTE_MS,
    purpose:
      'How long the upstream may take to start its response; raise it for slow views. 0 waits forever.',
  },
  bodyIdleTimeoutMs: {
    type: duration,
    default: MINUTE_MS,
    purpose: 'How long the upstream may pause in the middle of a response; 0 waits forever.',
  },
  clientSendTimeoutMs: {
    type: duration,
    default: MINUTE_MS,
    purpose: 'How long a client may pause while sending its request; 0 waits forever.',
  },
  clientReceiveTimeoutMs: {
    type: duration,
    default: MINUTE_MS,
    purpose: 'How long a client may go without reading any of its response; 0 waits forever.',
  },
  keepAliveTimeoutMs: {
    type: duration,
    default: 75 * SECOND_MS,
    purpose: "Close an idle client connection after this; keep it above a load balancer's own limit.",
  },
  lingerTimeoutMs: {
    type: duration,
    default: 2 * SECOND_MS,
    purpose: 'After the last response, how long to wait for the client to close before closing our side.',
  },
  lingerTotalMs: {
    type: duration,
    default: 30 * SECOND_MS,
    purpose: 'How long to keep a finished connection open, at most, for the client to close its side.',
  },
  shutdownTimeoutMs: {
    type: duration,
    default: 10 * SECOND_MS,
    purpose:
      "How long to let running exchanges finish on shutdown; keep it below the container's grace period.",
  },
} satisfies Partial<Rows>;

const STREAMING = {
  stream: {
    type: streamed,
    default: [],
    purpose: 'Pass these paths and media types through unbuffered; event streams and WebSockets always are.',
  },
} satisfies Partial<Rows>;

const LOGS = {
  logLevel: {
    type: choice('error', 'warn', 'info', 'debug'),
    default: 'info',
    purpose: 'The least severe messages to log; warn logs only problems.',
  },
  accessLog: {
    type: choice('auto', 'pretty', 'json', 'combined', 'off'),
    default: 'auto',
    purpose: 'Format of the access log; auto is pretty on a terminal, json elsewhere.',
  },
  quiet: {
    type: onOff,
    default: false,
    purpose: 'Log only problems, and skip the startup message.',
  },
} satisfies Partial<Rows>;

/** Every setting has its row: a missing one does not compile. */
export const TABLE: Rows = {
  ...LISTENING,
  ...UPSTREAM,
  ...LIMITS,
  ...RETRY,
  ...TIMEOUTS,
  ...STREAMING,
  ...LOGS,
};

/** A row with its names, where the type of its value does not matter. */
export interface AnyOption {
  readonly setting: SettingName;
  /** As a flag without its dashes, and as a key of the configuration file: `body-hold`. */
  readonly name: string;
  /** `LASTBYTE_BODY_HOLD`. */
  readonly variable: string;
  /** `bodyHold`. */
  readonly property: string;
  readonly type: { readonly unit: Unit } & Pick<OptionType<never>, 'arity' | 'placeholder' | 'schema'>;
  /** As a configuration file would hold it. */
  readonly default: ConfigValue;
  readonly purpose: string;
}

export interface OptionGroup {
  readonly title: string;
  readonly options: readonly AnyOption[];
}

export const GROUPS: readonly OptionGroup[] = [
  groupOf('Listening', LISTENING),
  groupOf('Upstream', UPSTREAM),
  groupOf('Limits', LIMITS),
  groupOf('Retry', RETRY),
  groupOf('Timeouts', TIMEOUTS),
  groupOf('Streaming', STREAMING),
  groupOf('Logs', LOGS),
];

export const OPTIONS: readonly AnyOption[] = GROUPS.flatMap(({ options }) => options);

/** Names the configuration file, so it cannot be set in one. */
export const CONFIG_VARIABLE = 'LASTBYTE_CONFIG';

export function optionNamed(name: string): AnyOption | undefined {
  return OPTIONS.find((option) => option.name === name);
}

/** `bodyHoldMs` is set by `body-hold`: the unit is part of the value that a person writes. */
export function nameOf(setting: SettingName): string {
  if (setting === 'socketPath') return 'socket';
  return setting.replace(/(Ms|Bytes)$/, '').replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** A setting's value as a configuration file would hold it: a size as `16mb`. */
export function written<S extends SettingName>(setting: S, value: Settings[S]): ConfigValue {
  return TABLE[setting].type.format(value);
}

function groupOf(title: string, rows: Partial<Rows>): OptionGroup {
  return { title, options: Object.keys(rows).filter(isSetting).map(optionOf) };
}

function isSetting(name: string): name is SettingName {
  return Object.hasOwn(TABLE, name);
}

function optionOf(setting: SettingName): AnyOption {
  const { type, purpose, default: value } = TABLE[setting];
  const name = nameOf(setting);
  return {
    setting,
    name,
    variable: `LASTBYTE_${name.toUpperCase().replaceAll('-', '_')}`,
    property: name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase()),
    type,
    default: written(setting, value),
    purpose,
  };
}
