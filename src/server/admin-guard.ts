/** Who may ask the admin listener: names that DNS cannot be made to point at us, and pages of its own. */

import { isIP } from 'node:net';

/**
 * A browser that was lured here by DNS rebinding sends the attacker's name as Host; it cannot be made to send an
 * address or localhost (RFC 6761 section 6.3 keeps *.localhost on this machine).
 */
export function isLocalName(hostField: string, adminHost: string): boolean {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]+))(?::\d*)?$/.exec(hostField);
  if (match === null) return false;
  const [, address, bareName = ''] = match;
  if (address !== undefined) return isIP(address) === 6;
  const name = bareName.toLowerCase().replace(/\.$/, '');
  return (
    isIP(name) === 4 ||
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    name === adminHost.toLowerCase()
  );
}

/** Https too: something that speaks TLS may stand in front. */
export function isSameOrigin(origin: string, host: string): boolean {
  const own = host.toLowerCase();
  return origin.toLowerCase() === `http://${own}` || origin.toLowerCase() === `https://${own}`;
}

/** What a browser says of where a request comes from (https://www.w3.org/TR/fetch-metadata/); others say nothing. */
export function isSameSite(secFetchSite: string | string[] | undefined): boolean {
  return secFetchSite === undefined || secFetchSite === 'same-origin' || secFetchSite === 'none';
}
