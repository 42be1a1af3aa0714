/** lastbyte inside another server, without a listener: its options, and the middleware. */

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
import type { ProxyEvents } from './proxy.ts';

export interface MiddlewareOptions extends SharedOptions {
  /**
   * What is proxied: the beginning of the path (`'/api'`), or a regular expression (`'^/api/v\\d+/'`) for path and query. It is
   * matched with the whole path, even where the middleware is mounted at a path. Other requests go to `next`.
   *  @default everything
   */
  readonly paths?: string | readonly string[] | undefined;
  /**
   * Changes path and query. Where the middleware is mounted at a path in Express or Connect, it gets the rest of the path.
   *  @default unchanged
   */
  readonly rewrite?: ((path: string) => string) | undefined;
  /** Header fields for the upstream. They replace the client's fields of the same names.
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
   * For `server.on('upgrade', upgrade)`: WebSockets. Returns false, and changes nothing, when none of `paths` matches.
   */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean;
  /** The same events as of a `Proxy`. */
  readonly events: EventEmitter<ProxyEvents>;
  /** The inspector's address; null: there is none. Its port is known once `ready` has resolved. */
  readonly adminUrl: string | null;
  /** Resolves when the admin listener listens, or at once if there is none. @throws the system's error, such as EADDRINUSE */
  readonly ready: Promise<void>;
  /**
   * Lets exchanges finish within `shutdownTimeout`, like a proxy's `close()`. No socket, timer or file is left open. Requests
   * that the server passes later get a 503.
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
  // For whoever does not await `ready`.
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

/** What the other server decides: where it listens, how long idle connections are kept, and what is logged. */
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
   * Serve the inspector, its API, metrics and health checks on a separate port: `true`, or the port.
   *  @default false, unless there is an `adminPort`
   */
  readonly admin?: boolean | number | undefined;
};

type Read = { readonly kind: string } | { readonly kind: 'faults'; readonly faults: readonly Fault[] };

export function faultsOf(...read: readonly Read[]): readonly Fault[] {
  return read.flatMap((one) => ('faults' in one ? one.faults : []));
}

/** Settings for a server that listens somewhere else. */
export function readShared({ admin, ...rest }: SharedOptions): LoadResult {
  const isOn = admin ?? rest.adminPort !== undefined;
  const read = readOptions({
    ...rest,
    // The address of the other server is not known, so nothing must warn about it.
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
