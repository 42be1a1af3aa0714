/** Why a server could not be reached, and what helps: a sentence for each case. */

import { failureCase } from '../exchange/failure-case.ts';
import type { Evidence } from '../upstream/evidence.ts';
import { targetUrl } from '../config/target.ts';
import type { Target } from '../config/settings.ts';
import { duration } from '../exchange/quantities.ts';

/** What happened, and what helps; `$code`, which is one of each address where there are several, and `$time` are filled in. */
const SENTENCES: ReadonlyMap<string, readonly [what: string, help: string]> = new Map([
  ['refused', ['refuses connections', 'Start the server, or check the port']],
  ['socket-missing', ['has no socket file', 'Start the server, or check the path']],
  ['forbidden', ['may not be reached ($code)', 'Check the permissions of the socket file, or the firewall']],
  [
    'name-unknown',
    ['has a host name without an address ($code)', 'Check its spelling, or start its container'],
  ],
  [
    'lookup-failed',
    ['has a host name that could not be looked up ($code)', 'Check the name server, or write an IP address'],
  ],
  ['no-route', ['cannot be reached ($code)', 'Check the address, and that both are in the same network']],
  [
    'connect-timeout',
    [
      'did not accept a connection within $time',
      'Check the address and the firewall, or raise --connect-timeout',
    ],
  ],
  [
    'dropped',
    [
      'broke the connection off while it was being made ($code)',
      'Check that it runs: a port mapping may lead nowhere',
    ],
  ],
  [
    'certificate-expired',
    ['has a certificate that is not valid today ($code)', 'Renew it, or accept it with --insecure'],
  ],
  [
    'certificate-self-signed',
    [
      'has a self-signed certificate ($code)',
      'Name its authority in NODE_EXTRA_CA_CERTS, or accept it with --insecure',
    ],
  ],
  [
    'certificate-name',
    ['has a certificate for another name ($code)', 'Ask by that name, or accept it with --insecure'],
  ],
  [
    'certificate-untrusted',
    [
      'has a certificate that cannot be verified ($code)',
      'Name its authority in NODE_EXTRA_CA_CERTS, or accept it with --insecure',
    ],
  ],
  [
    'tls-to-plain-http',
    ['did not answer in TLS ($code)', 'It most likely speaks plain HTTP: write http:// instead of https://'],
  ],
  [
    'tls-dropped',
    [
      'broke the TLS handshake off ($code)',
      'It most likely speaks plain HTTP: write http:// instead of https://',
    ],
  ],
  [
    'tls-failed',
    [
      'could not agree on TLS ($code)',
      'Check its TLS versions and ciphers, and whether it asks for a client certificate',
    ],
  ],
]);

/** A handshake that hangs looks like a connection that hangs: the server waits for a request that it can read. */
const TLS_TIMEOUT = [
  'did not agree on TLS within $time',
  'Check the address and the firewall; if it speaks plain HTTP, write http:// instead of https://',
] as const;
const OTHERWISE = [
  'could not be connected to ($code)',
  'Check the address, and that the server runs',
] as const;

export function explainUnreachable(evidence: Evidence, target: Target, connectTimeoutMs: number): string {
  const url = targetUrl(target);
  const known = failureCase('no-response', evidence, url);
  const hangsInTls = known === 'connect-timeout' && target.kind === 'tcp' && target.tls;
  const [what, help] = hangsInTls ? TLS_TIMEOUT : (SENTENCES.get(known) ?? OTHERWISE);
  const filled = what
    .replace('$code', evidence.detail ?? evidence.errorCode ?? 'no error code')
    .replace('$time', duration(connectTimeoutMs));
  const addresses = what.includes('$code') || evidence.detail === null ? '' : ` (${evidence.detail})`;
  return `${url} ${filled}${addresses}. ${help}.`;
}
