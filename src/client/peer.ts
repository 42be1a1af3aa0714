/** Which peers are trusted to name the client, and which clients are certainly on this machine. */

import { BlockList, isIPv6 } from 'node:net';
import type { Socket } from 'node:net';
import { isLoopback } from '../config/target.ts';
import { fieldValue } from '../http/fields.ts';
import type { Request } from '../http/request.ts';

/**
 * Returns a function that tells whether the peer at an address is trusted to name the client.
 *
 * @param peers addresses and CIDR blocks, valid ones
 */
export function trustIn(peers: readonly string[]): (address: string) => boolean {
  if (peers.length === 0) return () => false;
  const list = new BlockList();
  for (const peer of peers) {
    const [address = '', prefix] = peer.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return (address) => {
    const plain = address.replace(/^::ffff:(?=\d+\.)/, '');
    return plain !== '' && list.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
  };
}

/** Fields that proxies and tunnels add: one on this machine may forward for a client on another. */
const PROXY_FIELDS: readonly string[] = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'];

/** Other servers on this machine. */
export interface Nearby {
  /** The inspector's URL; null: there is none. */
  readonly adminUrl: string | null;
  /** Usual ports of dev servers that accept connections while the upstream does not. */
  readonly answering: readonly number[];
}

/** What our own responses tell only clients on this machine. */
export interface LocalHints {
  /** Where the inspector shows the exchange; null: there is none. */
  readonly inspector: string | null;
  /** Usual ports of dev servers that accept connections instead of the upstream. */
  readonly answering: readonly number[];
}

export const NO_HINTS: LocalHints = { inspector: null, answering: [] };

export function localHints(
  request: Request,
  socket: Socket,
  { adminUrl, answering }: Nearby,
  id: string,
): LocalHints {
  if (!isLocalClient(request, socket.remoteAddress)) return NO_HINTS;
  return { inspector: adminUrl === null ? null : `${adminUrl}/#open=${id}`, answering };
}

/** The request comes from loopback, its Host is a loopback name, and no proxy forwarded it. */
export function isLocalClient({ host: named, fields }: Request, clientAddress = ''): boolean {
  const address = clientAddress.replace(/^::ffff:/, '');
  const host = (named ?? '').replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return (
    isLoopback(address) &&
    isLoopback(host) &&
    !PROXY_FIELDS.some((name) => fieldValue(fields, name) !== undefined)
  );
}
