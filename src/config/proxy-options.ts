/** What a program may give to `createProxy`. Written by scripts/generate.ts from the option table. */

import type { Settings } from './settings.ts';

/** Bytes, or a size such as `'16mb'` (units are powers of 1024). */
export type Size = number | string;

/** Milliseconds, or a time such as `'30s'`. */
export type Duration = number | string;

/** Each option may be left out. What each is for, and what the units are, is in docs/configuration.md. */
export interface ProxyOptions {
  /** The server to stand in front of: a URL, host:port, a port of this machine, or unix:/path.
   *  @default 'http://127.0.0.1:8000' */
  readonly target?: string | undefined;
  /** The port that clients connect to; 0 takes any free one.
   *  @default 8080 */
  readonly port?: Settings['port'] | undefined;
  /** The address to listen on; 0.0.0.0 lets other machines and containers in.
   *  @default '127.0.0.1' */
  readonly host?: Settings['host'] | undefined;
  /** Listen on this unix socket instead of a host and port.
   *  @default null */
  readonly socket?: Settings['socketPath'] | undefined;
  /** Speak TLS to clients with this certificate chain (PEM).
   *  @default null */
  readonly tlsCert?: Settings['tlsCert'] | undefined;
  /** The private key of `tlsCert` (PEM).
   *  @default null */
  readonly tlsKey?: Settings['tlsKey'] | undefined;
  /** Serve the inspector, its API, metrics and health checks; `admin: false` opens no second port.
   *  @default true */
  readonly admin?: Settings['admin'] | undefined;
  /** The port of the inspector and the metrics; 0 takes any free one.
   *  @default 8081 */
  readonly adminPort?: Settings['adminPort'] | undefined;
  /** The address of the admin port; whoever reaches it sees the traffic.
   *  @default '127.0.0.1' */
  readonly adminHost?: Settings['adminHost'] | undefined;
  /** Accept an https upstream whose certificate cannot be verified, such as a self-signed one.
   *  @default false */
  readonly insecure?: Settings['insecure'] | undefined;
  /** Send the target's own Host field, for an upstream that refuses the client's.
   *  @default false */
  readonly changeOrigin?: Settings['changeOrigin'] | undefined;
  /** What becomes of a body that ends with its connection, so that nothing proves it; refuse: 502.
   *  @default 'deliver' */
  readonly unverifiable?: Settings['unverifiable'] | undefined;
  /** Keep the X-Forwarded-*, X-Real-IP and Forwarded fields of these peers: the proxies in front.
   *  @default [] */
  readonly trustProxy?: Settings['trustProxy'] | undefined;
  /** Hold a request body back until the upstream had a chance to answer without it.
   *  @default 'auto' */
  readonly withholdBody?: Settings['withholdBody'] | undefined;
  /** How long a body is held back; raise it for views that answer late without reading it.
   *  @default '100ms' */
  readonly bodyHold?: Duration | undefined;
  /** How long it is held back on a route that was seen to cut its response.
   *  @default '5s' */
  readonly bodyHoldMax?: Duration | undefined;
  /** Close an idle upstream connection after this; keep it under the upstream's own limit.
   *  @default '4s' */
  readonly upstreamIdleTimeout?: Duration | undefined;
  /** Idle upstream connections to keep for reuse; 0 opens a new one each time.
   *  @default 256 */
  readonly maxIdleConnections?: Settings['maxIdleConnections'] | undefined;
  /** Refuse a larger request body with 413; raise it for larger uploads.
   *  @default '1gb' */
  readonly maxRequestBody?: Size | undefined;
  /** Refuse a larger response with 502; raise it for larger downloads, or `stream` them.
   *  @default '4gb' */
  readonly maxResponseBody?: Size | undefined;
  /** The largest request or response head; raise it for very large cookies.
   *  @default '64kb' */
  readonly maxHeader?: Size | undefined;
  /** A body up to this is kept in memory, a larger one in a temporary file.
   *  @default '16mb' */
  readonly memoryPerBody?: Size | undefined;
  /** Memory for all buffered bodies together; lower it in a small container.
   *  @default '96mb' */
  readonly memoryTotal?: Size | undefined;
  /** Disk for all buffered bodies together; 0 never writes a file.
   *  @default '4gb' */
  readonly diskTotal?: Size | undefined;
  /** Folder for temporary files; without it, the system's own.
   *  @default null */
  readonly spoolDir?: Settings['spoolDir'] | undefined;
  /** How long a body waits when `diskTotal` is used up by others; then 503.
   *  @default '30s' */
  readonly spoolWait?: Duration | undefined;
  /** Further tries after a response that was cut short; 0 tries once.
   *  @default 2 */
  readonly retries?: Settings['retries'] | undefined;
  /** Methods that may be tried again; add PUT and DELETE if repeating them is harmless here.
   *  @default ['GET', 'HEAD', 'OPTIONS', 'TRACE'] */
  readonly retryMethods?: Settings['retryMethods'] | undefined;
  /** Pause before the second try; it doubles with each further one.
   *  @default '100ms' */
  readonly retryBackoff?: Duration | undefined;
  /** How long a request waits for a server that is restarting; 0 refuses it at once with 503.
   *  @default '10s' */
  readonly waitForUpstream?: Duration | undefined;
  /** Requests that may wait for the upstream at once; more are refused with 503.
   *  @default 256 */
  readonly maxWaiting?: Settings['maxWaiting'] | undefined;
  /** How long the upstream may take to accept a connection; 0 leaves it to the system.
   *  @default '5s' */
  readonly connectTimeout?: Duration | undefined;
  /** How long it may take to begin its response; raise it for slow views, 0 waits for ever.
   *  @default '5m' */
  readonly firstByteTimeout?: Duration | undefined;
  /** How long it may pause in the middle of a response; 0 waits for ever.
   *  @default '1m' */
  readonly bodyIdleTimeout?: Duration | undefined;
  /** How long a client may pause in the middle of a request; 0 waits for ever.
   *  @default '1m' */
  readonly clientSendTimeout?: Duration | undefined;
  /** How long a client may take no byte of its response; 0 waits for ever.
   *  @default '1m' */
  readonly clientReceiveTimeout?: Duration | undefined;
  /** Close an idle client connection after this; keep it over a load balancer's own limit.
   *  @default '75s' */
  readonly keepAliveTimeout?: Duration | undefined;
  /** How long the client is left to close first, before the proxy does.
   *  @default '2s' */
  readonly lingerTimeout?: Duration | undefined;
  /** How long a finished connection is kept for the client's end of it.
   *  @default '30s' */
  readonly lingerTotal?: Duration | undefined;
  /** How long a stop waits for exchanges under way; keep it under the container's grace period.
   *  @default '10s' */
  readonly shutdownTimeout?: Duration | undefined;
  /** Relay these paths and media types as they come; event streams and WebSockets always are.
   *  @default [] */
  readonly stream?: Settings['stream'] | undefined;
  /** How much is logged; warn keeps only what went wrong.
   *  @default 'info' */
  readonly logLevel?: Settings['logLevel'] | undefined;
  /** How exchanges are logged; auto is pretty on a terminal and json elsewhere.
   *  @default 'auto' */
  readonly accessLog?: Settings['accessLog'] | undefined;
  /** Say only what went wrong, and not where it listens.
   *  @default false */
  readonly quiet?: Settings['quiet'] | undefined;
}
