/** Who is at the other end: whose word about the client is believed, and who is on this machine for sure. */

import { BlockList, isIPv6 } from 'node:net';
import type { Socket } from 'node:net';
import { isLoopback } from '../config/target.ts';
import { fieldValue } from '../http/fields.ts';
import type { Request } from '../http/request.ts';

/**
 * Tells of an address whether that peer's word about the client is believed.
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

/** Fields of whoever passes on the requests of others: a proxy or a tunnel may come from this machine for a client that does not. */
const PASSED_ON: readonly string[] = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'];

/** What is on this machine besides. */
export interface Nearby {
  /** Where the inspector is; null: there is none. */
  readonly adminUrl: string | null;
  /** Usual ports of dev servers that answer while the upstream does not. */
  readonly answering: readonly number[];
}

/** What a response of our own tells a client on this machine besides. */
export interface LocalHints {
  /** Where the inspector shows the exchange; null: there is none. */
  readonly inspector: string | null;
  /** Usual ports of dev servers that answer instead of the upstream. */
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

/** It comes from loopback, calls us by a name of loopback, and nobody passed it on. */
export function isLocalClient({ host: named, fields }: Request, clientAddress = ''): boolean {
  const address = clientAddress.replace(/^::ffff:/, '');
  const host = (named ?? '').replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return (
    isLoopback(address) &&
    isLoopback(host) &&
    !PASSED_ON.some((name) => fieldValue(fields, name) !== undefined)
  );
}
