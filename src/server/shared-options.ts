/** What a program gives to lastbyte inside another server: the options that mean the same there, and entries. */

import type { Fault } from '../config/fault.ts';
import type { ProxyOptions } from '../config/proxy-options.ts';
import { readOptions } from '../config/resolve.ts';
import type { LoadResult } from '../config/resolve.ts';

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

/** Names and meanings are those of Vite's `server.proxy`. */
export interface ProxyEntry {
  /** The server to ask: `http://127.0.0.1:8000`; a path in it comes before each path that is asked for. */
  readonly target: string | URL;
  /** Send the target's own name in Host.
   *  @default false; true for an entry that is a target alone */
  readonly changeOrigin?: boolean | undefined;
  /** Path and query as they go on. */
  readonly rewrite?: ((path: string) => string) | undefined;
  /** Whether an https target must have a certificate that can be verified.
   *  @default true */
  readonly secure?: boolean | undefined;
  /** Sent in the place of the client's fields of the same names. */
  readonly headers?: Readonly<Record<string, string | number | readonly string[]>> | undefined;
  /** Pass WebSockets on, too.
   *  @default false, unless the target is ws:// or wss:// */
  readonly ws?: boolean | undefined;
}

/** By how the path begins (`'/api'`), or a regular expression for path and query (`'^/api/v\\d+/'`). */
export type ProxyEntries = Readonly<Record<string, string | ProxyEntry>>;

/** Options that hold for all entries. */
export type EntriesOptions = Omit<SharedOptions, 'target' | 'changeOrigin' | 'insecure'>;
