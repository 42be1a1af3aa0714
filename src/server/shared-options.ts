/** The options of a proxy that mean the same inside another server. */

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
