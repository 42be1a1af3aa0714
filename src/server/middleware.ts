/** lastbyte without a listener: made from options, for a server of somebody else. */

import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { ConfigError } from '../config/fault.ts';
import type { Fault } from '../config/fault.ts';
import type { ProxyOptions } from '../config/proxy-options.ts';
import { readOptions } from '../config/resolve.ts';
import type { LoadResult } from '../config/resolve.ts';
import { readRules } from '../config/route-rules.ts';
import { mount } from './mounted.ts';
import type { ProxyEvents } from './event-publisher.ts';

export interface MiddlewareOptions extends SharedOptions {
  /**
   * What is proxied: how the path begins (`'/api'`), or a regular expression (`'^/api/v\\d+/'`) for path and query. Always of
   * the whole path, also where the middleware is mounted at a part of it. What matches none goes to `next`.
   *  @default everything
   */
  readonly paths?: string | readonly string[] | undefined;
  /**
   * Path and query as they go on, made from those that came; mounted at a path in Express or Connect, from what is left.
   *  @default unchanged
   */
  readonly rewrite?: ((path: string) => string) | undefined;
  /** Sent to the upstream in the place of the client's fields of the same names.
   *  @default none */
  readonly headers?: Readonly<Record<string, string | number | readonly string[]>> | undefined;
}

export interface Middleware {
  /** For Express, Connect and all that take `(request, response, next)`; also a listener for `http.createServer`. */
  readonly middleware: (
    request: IncomingMessage,
    response: ServerResponse,
    next?: (error?: unknown) => void,
  ) => void;
  /**
   * For `server.on('upgrade', upgrade)`: WebSockets. Returns false, and has touched nothing, when the path is none of `paths`.
   */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean;
  /** Tells of every exchange when it is over, as a `Proxy` does. */
  readonly events: EventEmitter<ProxyEvents>;
  /** Where the inspector is; null: there is none. Its port is known once `ready` has resolved. */
  readonly adminUrl: string | null;
  /** Resolves when the admin listener listens, at once without one. @throws the system's error, such as EADDRINUSE */
  readonly ready: Promise<void>;
  /**
   * Ends what is under way as a proxy's `close()` does, within `shutdownTimeout`: neither socket, timer nor file is left. The
   * server itself goes on, and is told 503 from then on.
   */
  readonly close: () => Promise<void>;
}

/** @throws ConfigError naming every option that is wrong */
export function createMiddleware(options: MiddlewareOptions = {}): Middleware {
  const { paths, rewrite, headers, ...shared } = options;
  const read = readShared(shared);
  const rules = readRules({ paths, rewrite, headers }, (name) => ({ kind: 'property', name }));
  if (read.kind === 'faults' || rules.kind === 'faults') throw new ConfigError(faultsOf(read, rules));
  const { settings } = read;
  const events = new EventEmitter<ProxyEvents>();
  const engine = mount(events, [{ ...rules.rules, settings, takesUpgrade: () => true }]);
  const { frontend: mounted } = engine;
  let closing: Promise<void> | null = null;
  const ready = engine.start();
  // Who does not ask for it is told by a warning of the process.
  ready.catch((error: Error) => process.emitWarning(`lastbyte has no inspector: ${error.message}`));
  return {
    middleware: (request, response, next) => mounted.request(request, response, next),
    upgrade: (request, socket, head) => mounted.upgrade(request, socket, head),
    events,
    get adminUrl() {
      return engine.adminUrl;
    },
    ready,
    close: () => (closing ??= engine.close()),
  };
}

/** What the other server decides: where it listens, how long it keeps connections, and what is logged. */
const ITS_OWN: readonly ItsOwn[] = [
  'port',
  'host',
  'socket',
  'tlsCert',
  'tlsKey',
  'keepAliveTimeout',
  'logLevel',
  'accessLog',
  'quiet',
];

type ItsOwn = keyof Pick<
  ProxyOptions,
  'port' | 'host' | 'socket' | 'tlsCert' | 'tlsKey' | 'keepAliveTimeout' | 'logLevel' | 'accessLog' | 'quiet'
>;

/** Options of `createProxy` that mean the same here. */
export type SharedOptions = Omit<ProxyOptions, ItsOwn | 'admin'> & {
  /**
   * Serve the inspector, its API, metrics and health checks on a port of their own: `true`, or the port.
   *  @default false, unless there is an `adminPort`
   */
  readonly admin?: boolean | number | undefined;
};

type Read = { readonly kind: string } | { readonly kind: 'faults'; readonly faults: readonly Fault[] };

/** Of all that was read. */
export function faultsOf(...read: readonly Read[]): readonly Fault[] {
  return read.flatMap((one) => ('faults' in one ? one.faults : []));
}

/** Settings for a server that listens somewhere else. */
export function readShared({ admin, ...rest }: SharedOptions): LoadResult {
  const isOn = admin ?? rest.adminPort !== undefined;
  const read = readOptions({
    ...rest,
    // Where it listens is not known, and is no address to warn of.
    port: 0,
    admin: isOn !== false,
    ...(typeof admin === 'number' ? { adminPort: admin } : {}),
  });
  const faults = [
    ...ITS_OWN.filter((name) => Reflect.get(rest, name) !== undefined).map(notOurs),
    ...(read.kind === 'faults' ? read.faults : []),
  ];
  return faults.length > 0 ? { kind: 'faults', faults } : read;
}

function notOurs(name: string): Fault {
  return {
    option: name,
    value: null,
    origin: { kind: 'property', name },
    problem: 'is for the server that lastbyte is part of',
    remedy: 'Leave it out here, and set it there',
  };
}
