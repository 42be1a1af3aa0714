/** The rows for a connection to the upstream that could not be made, told also to whoever connects without the proxy. */

import type { ConnectFailed } from '../upstream/evidence.ts';
import { clause, during, errorCode, instead, longEnough, waited, waitLonger } from './failure-phrases.ts';
import type { ConnectFailure, FailureRow } from './failure-phrases.ts';

export interface ConnectFailureRow extends FailureRow<ConnectFailure> {
  /** What helps whoever connects without the proxy, as `diagnose` does. Default: the remedy. */
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

/** Node reports a TLS handshake that the peer breaks off as ECONNRESET, like any other reset. */
const DROPPED = /^(ECONNRESET|ECONNABORTED|EPIPE)$/;

/**
 * A connection that could not be made, by its code: the system's, libuv's (EAI_*), OpenSSL's verification results
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
    cause: 'no server listens there',
    remedy: (f) => `start it, check --target${instead(f)}, or ${waitLonger(f)}`,
    advice: 'start the server, or check the port',
  },
  {
    codes: /^ENOENT$/,
    code: 'upstream_refused',
    happened: (f) => `has no socket file${during(f)}`,
    cause: 'its server has not made it yet, or makes it elsewhere',
    remedy: (f) => `start it, check --target, or ${waitLonger(f)}`,
    advice: 'start the server, or check the path',
  },
  {
    codes: /^(EACCES|EPERM)$/,
    code: 'upstream_unreachable',
    happened: (f) => `may not be reached${errorCode(f)}`,
    cause: 'the system denies the connection',
    remedy: 'check the permissions of the socket file, or the firewall',
  },
  {
    codes: /^ENOTFOUND$/,
    code: 'upstream_not_found',
    happened: (f) => `has a host name without an address${errorCode(f)}${during(f)}`,
    cause: 'it is misspelt, or its container does not run',
    remedy: (f) => `check --target, start the container, or ${waitLonger(f)}`,
    advice: 'check its spelling, or start its container',
  },
  {
    codes: /^EAI_/,
    code: 'upstream_not_found',
    happened: (f) => `has a host name that could not be looked up${errorCode(f)}${during(f)}`,
    cause: 'the name server did not answer',
    remedy: 'check the name server of this system, or give an IP address to --target',
    advice: 'check the name server, or write an IP address',
  },
  {
    codes: /^(EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN|EADDRNOTAVAIL)$/,
    code: 'upstream_unreachable',
    happened: (f) => `cannot be reached${errorCode(f)}${during(f)}`,
    cause: 'no route leads to its address',
    remedy: 'check --target, and that both are in the same network',
    advice: 'check the address, and that both are in the same network',
  },
  {
    // The server waits for a request that it can read.
    codes: /^ETIMEDOUT$/,
    overTls: true,
    code: 'connect_timeout',
    happened: (f) => `did not agree on TLS${longEnough(f)}${clause(f)}`,
    cause:
      'it speaks plain HTTP, a firewall drops the packets, the host is down, or its queue of connections is full',
    remedy: 'check --target, or raise --connect-timeout',
    advice: 'check the address and the firewall; if it speaks plain HTTP, write http:// instead of https://',
  },
  {
    codes: /^ETIMEDOUT$/,
    code: 'connect_timeout',
    happened: (f) => `did not accept a connection${longEnough(f)}${clause(f)}`,
    cause: 'a firewall drops the packets, the host is down, or its queue of connections is full',
    remedy: 'check --target, or raise --connect-timeout',
    advice: 'check the address and the firewall, or raise --connect-timeout',
  },
  {
    codes: /^(EMFILE|ENFILE)$/,
    code: 'out_of_descriptors',
    happened: (f) => `could not be asked${errorCode(f)}`,
    cause: 'this process or system has too many files open',
    remedy: 'raise the limit of open files (ulimit -n)',
  },
  {
    codes: DROPPED,
    overTls: true,
    code: 'upstream_tls',
    happened: (f) => `broke the TLS handshake off${errorCode(f)}${during(f)}`,
    cause: 'it most likely speaks plain HTTP, or is restarting',
    remedy: (f) => `write http:// in --target if it has no TLS, or ${waitLonger(f)}`,
    advice: 'it most likely speaks plain HTTP: write http:// instead of https://',
  },
  {
    codes: DROPPED,
    code: 'upstream_unreachable',
    happened: (f) => `broke the connection off while it was being made${errorCode(f)}${during(f)}`,
    cause: 'it is most likely starting or stopping, or a port mapping leads nowhere',
    remedy: (f) => `check that it runs, or ${waitLonger(f)}`,
    advice: 'check that it runs: a port mapping may lead nowhere',
  },
  {
    codes: /^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/,
    code: 'upstream_certificate',
    happened: (f) => `has a certificate that is not valid today${errorCode(f)}`,
    cause: 'it has expired, or a clock is wrong',
    remedy: 'renew it, or set --insecure to accept it',
  },
  {
    codes: /^(DEPTH_ZERO_)?SELF_SIGNED_CERT/,
    code: 'upstream_certificate',
    happened: (f) => `has a self-signed certificate${errorCode(f)}`,
    cause: 'nobody vouches for it',
    remedy: 'name its authority in NODE_EXTRA_CA_CERTS, or set --insecure to accept it',
  },
  {
    codes: /^ERR_TLS_CERT_ALTNAME/,
    code: 'upstream_certificate',
    happened: (f) => `has a certificate for another name${errorCode(f)}`,
    cause: 'it is most likely addressed by another name than the one it was issued for',
    remedy: 'use that name in --target, or set --insecure to accept it',
    advice: 'ask by that name, or set --insecure to accept it',
  },
  {
    codes: /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST)$/,
    code: 'upstream_tls',
    happened: (f) => `did not answer in TLS${errorCode(f)}`,
    cause: 'it most likely speaks plain HTTP',
    remedy: 'write http:// instead of https:// in --target',
    advice: 'it most likely speaks plain HTTP: write http:// instead of https://',
  },
  {
    codes: /^(ERR_SSL_|ERR_TLS_|EPROTO)/,
    code: 'upstream_tls',
    happened: (f) => `could not agree on TLS${errorCode(f)}`,
    cause: 'its versions or ciphers most likely do not match, or it asks for a client certificate',
    remedy: 'check the TLS settings of the upstream',
  },
  {
    codes: /CERT|ISSUER|LEAF_SIGNATURE|CRL/,
    code: 'upstream_certificate',
    happened: (f) => `has a certificate that cannot be verified${errorCode(f)}`,
    cause: 'its authority is not known here, or an intermediate certificate is missing',
    remedy: 'name its authority in NODE_EXTRA_CA_CERTS, or set --insecure to accept it',
  },
];

const NOT_CONNECTED: ConnectFailureRow = {
  code: 'upstream_unreachable',
  happened: (f) => `could not be connected to${errorCode(f)}${during(f)}`,
  cause: null,
  remedy: 'check --target, and that the upstream runs',
  advice: 'check the address, and that the server runs',
};
