/** The failure rows for connections to the upstream that could not be opened; also used by `diagnose`, which connects without the proxy. */

import { endingDetail } from '../upstream/evidence.ts';
import type { ConnectFailed } from '../upstream/evidence.ts';
import { clause, during, errorCode, instead, longEnough, waited, waitLonger } from './failure-phrases.ts';
import type { ConnectFailure, FailureRow } from './failure-phrases.ts';

export interface ConnectFailureRow extends FailureRow<ConnectFailure> {
  /** The remedy without the proxy's options, for `diagnose`. Default: the remedy. */
  readonly advice?: string;
}

export function connectFailureRow(
  { errorCode: code, timedOut }: ConnectFailed,
  target: string,
): ConnectFailureRow {
  const overTls = target.startsWith('https:');
  const failed = timedOut ? 'ETIMEDOUT' : code;
  return (
    CONNECT_FAILURES.find((row) => row.codes.test(failed) && (row.overTls !== true || overTls)) ??
    NOT_CONNECTED
  );
}

/** Node reports a TLS handshake that the peer aborts as ECONNRESET, like any other reset. */
const DROPPED = /^(ECONNRESET|ECONNABORTED|EPIPE)$/;

/**
 * A connection that could not be opened, by its code: the system's, libuv's (EAI_*), OpenSSL's verification results
 * (https://nodejs.org/api/tls.html#x509-certificate-error-codes) or Node's (ERR_TLS_*, ERR_SSL_*). First match wins.
 */
const CONNECT_FAILURES: ReadonlyArray<
  ConnectFailureRow & { readonly codes: RegExp; readonly overTls?: boolean }
> = [
  {
    codes: /^ECONNREFUSED$/,
    code: 'upstream_refused',
    happened: (f) =>
      `${waited(f) ? `refused connections${during(f)}` : 'refused the connection'}${clause(f)}`,
    cause: (f) => `nothing listens there${instead(f)}`,
    remedy: (f) => `Start it, check --target, or ${waitLonger(f)}`,
    advice: 'Start the server, or check the port',
  },
  {
    codes: /^ENOENT$/,
    code: 'upstream_refused',
    happened: (f) => `has no socket file${during(f)}`,
    cause: 'it has not been created yet, or was created elsewhere',
    remedy: (f) => `Start it, check --target, or ${waitLonger(f)}`,
    advice: 'Start the server, or check the path',
  },
  {
    codes: /^(EACCES|EPERM)$/,
    code: 'upstream_unreachable',
    happened: (f) => `cannot be reached${errorCode(f)}`,
    cause: 'the system denies the connection',
    remedy: 'Check the permissions of the socket file, or the firewall',
  },
  {
    codes: /^ENOTFOUND$/,
    code: 'upstream_not_found',
    happened: (f) => `has a host name that does not resolve${errorCode(f)}${during(f)}`,
    cause: 'it is misspelled, or its container is not running',
    remedy: 'Check --target, or start the container',
    advice: 'Check the spelling, or start the container',
  },
  {
    codes: /^EAI_/,
    code: 'upstream_not_found',
    happened: (f) => `has a host name that cannot be looked up${errorCode(f)}${during(f)}`,
    cause: 'the name server did not answer',
    remedy: 'Check the name server, or use an IP address in --target',
    advice: 'Check the name server, or use an IP address',
  },
  {
    codes: /^(EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN|EADDRNOTAVAIL)$/,
    code: 'upstream_unreachable',
    happened: (f) => `cannot be reached${errorCode(f)}${during(f)}`,
    cause: 'there is no route to its address',
    remedy: 'Check --target, and that both are on the same network',
    advice: 'Check the address, and that both are on the same network',
  },
  {
    // The server waits for a request that it can read.
    codes: /^ETIMEDOUT$/,
    overTls: true,
    code: 'connect_timeout',
    happened: (f) => `did not complete a TLS handshake${longEnough(f)}`,
    cause: 'it may speak plain HTTP, or be down or firewalled',
    remedy: 'Check --target, or raise --connect-timeout',
    advice: 'Check the address and the firewall; if it speaks plain HTTP, use http:// instead of https://',
    more: addresses,
  },
  {
    codes: /^ETIMEDOUT$/,
    code: 'connect_timeout',
    happened: (f) => `did not accept a connection${longEnough(f)}`,
    cause: 'it is down, firewalled, or its connection queue is full',
    remedy: 'Check --target, or raise --connect-timeout',
    advice: 'Check the address and the firewall, or raise --connect-timeout',
    more: addresses,
  },
  {
    codes: /^(EMFILE|ENFILE)$/,
    code: 'out_of_descriptors',
    happened: (f) => `could not be connected to${errorCode(f)}`,
    cause: 'this process or system has too many files open',
    remedy: 'Raise the limit on open files (ulimit -n)',
  },
  {
    codes: DROPPED,
    overTls: true,
    code: 'upstream_tls',
    happened: (f) => `broke off the TLS handshake${errorCode(f)}${during(f)}`,
    cause: 'it probably speaks plain HTTP, or is restarting',
    remedy: (f) => `Use http:// in --target if it has no TLS, or ${waitLonger(f)}`,
    advice: 'It probably speaks plain HTTP: use http:// instead of https://',
  },
  {
    codes: DROPPED,
    code: 'upstream_unreachable',
    happened: (f) => `dropped the connection as it was opened${errorCode(f)}${during(f)}`,
    cause: 'it is starting or stopping, or a port mapping leads nowhere',
    remedy: 'Check that it is running',
    advice: 'Check that it is running: a port mapping may lead nowhere',
  },
  {
    codes: /^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/,
    code: 'upstream_certificate',
    happened: (f) => `has a certificate that is not valid today${errorCode(f)}`,
    cause: 'it has expired, or a clock is wrong',
    remedy: 'Renew it, or set --insecure to accept it',
  },
  {
    codes: /^(DEPTH_ZERO_)?SELF_SIGNED_CERT/,
    code: 'upstream_certificate',
    happened: (f) => `has a self-signed certificate${errorCode(f)}`,
    cause: 'no known authority has signed it',
    remedy: 'Add its authority to NODE_EXTRA_CA_CERTS, or set --insecure',
  },
  {
    codes: /^ERR_TLS_CERT_ALTNAME/,
    code: 'upstream_certificate',
    happened: (f) => `has a certificate for another name${errorCode(f)}`,
    cause: 'it was probably issued for another host name',
    remedy: 'Use that name in --target, or set --insecure',
    advice: 'Use that name, or set --insecure to accept it',
  },
  {
    codes: /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST)$/,
    code: 'upstream_tls',
    happened: (f) => `did not respond in TLS${errorCode(f)}`,
    cause: 'it probably speaks plain HTTP',
    remedy: 'Use http:// instead of https:// in --target',
    advice: 'It probably speaks plain HTTP: use http:// instead of https://',
  },
  {
    codes: /^(ERR_SSL_|ERR_TLS_|EPROTO)/,
    code: 'upstream_tls',
    happened: (f) => `could not agree on TLS${errorCode(f)}`,
    cause: 'versions or ciphers differ, or it wants a client certificate',
    remedy: 'Check the TLS settings of the upstream',
  },
  {
    codes: /CERT|ISSUER|LEAF_SIGNATURE|CRL/,
    code: 'upstream_certificate',
    happened: (f) => `has an unverifiable certificate${errorCode(f)}`,
    cause: 'a certificate of its chain is missing here',
    remedy: 'Add it to NODE_EXTRA_CA_CERTS, or set --insecure',
  },
];

const NOT_CONNECTED: ConnectFailureRow = {
  code: 'upstream_unreachable',
  happened: (f) => `could not be connected to${errorCode(f)}${during(f)}`,
  cause: null,
  remedy: 'Check --target, and that the upstream is running',
  advice: 'Check the address, and that the server is running',
};

/** The result of each address, where the target has several. */
function addresses({ evidence }: ConnectFailure): string | null {
  const detail = endingDetail(evidence.ending);
  return detail === null ? null : `Its addresses: ${detail}.`;
}
