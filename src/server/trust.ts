/** Which peers' word about the client is believed. */

import { BlockList, isIPv6 } from 'node:net';

/** @param peers addresses and CIDR blocks, valid ones */
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
