/** The settings that the rest of the program works with: valid, frozen, times in ms, sizes in bytes. */

/** When a request body is held back until the upstream has had a chance to respond without it. */
export type WithholdMode = 'auto' | 'always' | 'off';

/** How exchanges are written to the log; `auto` is `pretty` on a terminal and `json` otherwise. */
export type AccessLogFormat = 'auto' | 'pretty' | 'json' | 'combined' | 'off';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

/** Where the upstream listens. */
export type Target =
  | { readonly kind: 'tcp'; readonly tls: boolean; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

export interface Settings {
  // Listening
  readonly target: Target;
  readonly port: number;
  readonly host: string;
  /** Listen on this unix socket instead of `host` and `port`; null: TCP. */
  readonly socketPath: string | null;
  readonly tlsCert: string | null;
  readonly tlsKey: string | null;
  readonly admin: boolean;
  readonly adminPort: number;
  readonly adminHost: string;

  // Toward the upstream
  /** Accept an upstream certificate that cannot be verified. */
  readonly insecure: boolean;
  readonly changeOrigin: boolean;
  /** What to do with a buffered body that ended with its connection, so that nothing proves it complete. */
  readonly unverifiable: 'deliver' | 'refuse';
  /** Peers (addresses or CIDR blocks) whose X-Forwarded-*, X-Real-IP and Forwarded fields are kept and appended to. */
  readonly trustProxy: readonly string[];
  readonly withholdBody: WithholdMode;
  readonly bodyHoldMs: number;
  readonly bodyHoldMaxMs: number;
  readonly upstreamIdleTimeoutMs: number;
  readonly maxIdleConnections: number;

  // Limits
  readonly maxRequestBodyBytes: number;
  readonly maxResponseBodyBytes: number;
  readonly maxHeaderBytes: number;
  readonly memoryPerBodyBytes: number;
  readonly memoryTotalBytes: number;
  readonly diskTotalBytes: number;
  /** Folder for the private spool folder; null: the system's temporary folder. */
  readonly spoolDir: string | null;
  readonly spoolWaitMs: number;

  // Retry and waiting
  /** Attempts after the first. */
  readonly retries: number;
  readonly retryMethods: readonly string[];
  readonly retryBackoffMs: number;
  readonly waitForUpstreamMs: number;
  readonly maxWaiting: number;

  // Timeouts
  readonly connectTimeoutMs: number;
  readonly firstByteTimeoutMs: number;
  readonly bodyIdleTimeoutMs: number;
  readonly clientSendTimeoutMs: number;
  readonly clientReceiveTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly lingerTimeoutMs: number;
  readonly lingerTotalMs: number;
  readonly shutdownTimeoutMs: number;

  // What is not buffered: paths ("/events/", a prefix that may contain `*`) and media types ("text/x-log")
  readonly stream: readonly string[];

  // Logs
  readonly logLevel: LogLevel;
  readonly accessLog: AccessLogFormat;
  /** No banner, and only warnings and errors. */
  readonly quiet: boolean;
}

export type SettingName = keyof Settings;
