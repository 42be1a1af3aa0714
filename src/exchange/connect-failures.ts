/** The sentences for a connection to the upstream that could not be made. */

import { answeringText } from './explain-absent.ts';
import type { Failure, FailureRow } from './failure.ts';
import { duration, grouped } from './quantities.ts';

export type ConnectFailureCase =
  | 'refused'
  | 'socket-missing'
  | 'forbidden'
  | 'name-unknown'
  | 'lookup-failed'
  | 'no-route'
  | 'connect-timeout'
  | 'dropped'
  | 'no-descriptors'
  | 'certificate-expired'
  | 'certificate-self-signed'
  | 'certificate-name'
  | 'certificate-untrusted'
  | 'tls-to-plain-http'
  | 'tls-dropped'
  | 'tls-failed'
  | 'connect-failed';

export const CONNECT_FAILURES: Readonly<Record<ConnectFailureCase, FailureRow>> = {
  refused: {
    code: 'upstream_refused',
    happened: (f) =>
      `${waited(f) ? `refused connections${during(f)}` : 'refused the connection'}${addresses(f)}`,
    cause: () => 'no server listens there',
    remedy: (f) => `start it, check --target${instead(f)}, or ${waitLonger(f)}`,
  },
  'socket-missing': {
    code: 'upstream_refused',
    happened: (f) => `has no socket file${during(f)}`,
    cause: () => 'its server has not made it yet, or makes it elsewhere',
    remedy: (f) => `start it, check --target, or ${waitLonger(f)}`,
  },
  forbidden: {
    code: 'upstream_unreachable',
    happened: (f) => `may not be reached${errorCode(f)}`,
    cause: () => 'the system denies the connection',
    remedy: () => 'check the permissions of the socket file, or the firewall',
  },
  'name-unknown': {
    code: 'upstream_not_found',
    happened: (f) => `has a host name without an address${errorCode(f)}${during(f)}`,
    cause: () => 'it is misspelt, or its container does not run',
    remedy: (f) => `check --target, start the container, or ${waitLonger(f)}`,
  },
  'lookup-failed': {
    code: 'upstream_not_found',
    happened: (f) => `has a host name that could not be looked up${errorCode(f)}${during(f)}`,
    cause: () => 'the name server did not answer',
    remedy: () => 'check the name server of this system, or give an IP address to --target',
  },
  'no-route': {
    code: 'upstream_unreachable',
    happened: (f) => `cannot be reached${errorCode(f)}${during(f)}`,
    cause: () => 'no route leads to its address',
    remedy: () => 'check --target, and that both are in the same network',
  },
  'connect-timeout': {
    code: 'connect_timeout',
    happened: (f) =>
      `did not accept a connection${waited(f) ? during(f) : ` within ${duration(f.settings.connectTimeoutMs)}`}${addresses(f)}`,
    cause: () => 'a firewall drops the packets, the host is down, or its queue of connections is full',
    remedy: () => 'check --target, or raise --connect-timeout',
  },
  dropped: {
    code: 'upstream_unreachable',
    happened: (f) => `broke the connection off while it was being made${errorCode(f)}${during(f)}`,
    cause: () => 'it is most likely starting or stopping, or a port mapping leads nowhere',
    remedy: (f) => `check that it runs, or ${waitLonger(f)}`,
  },
  'no-descriptors': {
    code: 'out_of_descriptors',
    happened: (f) => `could not be asked${errorCode(f)}`,
    cause: () => 'this process or system has too many files open',
    remedy: () => 'raise the limit of open files (ulimit -n)',
  },
  'certificate-expired': {
    code: 'upstream_certificate',
    happened: (f) => `has a certificate that is not valid today${errorCode(f)}`,
    cause: () => 'it has expired, or a clock is wrong',
    remedy: () => 'renew it, or set --insecure to accept it',
  },
  'certificate-self-signed': {
    code: 'upstream_certificate',
    happened: (f) => `has a self-signed certificate${errorCode(f)}`,
    cause: () => 'nobody vouches for it',
    remedy: () => 'name its authority in NODE_EXTRA_CA_CERTS, or set --insecure to accept it',
  },
  'certificate-name': {
    code: 'upstream_certificate',
    happened: (f) => `has a certificate for another name${errorCode(f)}`,
    cause: () => 'it is most likely addressed by another name than the one it was issued for',
    remedy: () => 'use that name in --target, or set --insecure to accept it',
  },
  'certificate-untrusted': {
    code: 'upstream_certificate',
    happened: (f) => `has a certificate that cannot be verified${errorCode(f)}`,
    cause: () => 'its authority is not known here, or an intermediate certificate is missing',
    remedy: () => 'name its authority in NODE_EXTRA_CA_CERTS, or set --insecure to accept it',
  },
  'tls-to-plain-http': {
    code: 'upstream_tls',
    happened: (f) => `did not answer in TLS${errorCode(f)}`,
    cause: () => 'it most likely speaks plain HTTP',
    remedy: () => 'write http:// instead of https:// in --target',
  },
  'tls-dropped': {
    code: 'upstream_tls',
    happened: (f) => `broke the TLS handshake off${errorCode(f)}${during(f)}`,
    cause: () => 'it most likely speaks plain HTTP, or is restarting',
    remedy: (f) => `write http:// in --target if it has no TLS, or ${waitLonger(f)}`,
  },
  'tls-failed': {
    code: 'upstream_tls',
    happened: (f) => `could not agree on TLS${errorCode(f)}`,
    cause: () => 'its versions or ciphers most likely do not match, or it asks for a client certificate',
    remedy: () => 'check the TLS settings of the upstream',
  },
  'connect-failed': {
    code: 'upstream_unreachable',
    happened: (f) => `could not be connected to${errorCode(f)}${during(f)}`,
    cause: () => null,
    remedy: () => 'check --target, and that the upstream runs',
  },
};

function instead({ answering = [] }: Failure): string {
  return answering.length === 0 ? '' : ` (${answeringText(answering)})`;
}

function waited({ waitedMs }: Failure): boolean {
  return waitedMs > 0;
}

function during(failure: Failure): string {
  if (!waited(failure)) return '';
  const { waitedMs, attempts } = failure;
  return ` for ${duration(waitedMs)}, in ${attempts === 1 ? 'one try' : `${grouped(attempts)} tries`}`;
}

function waitLonger({ settings }: Failure): string {
  const { waitForUpstreamMs } = settings;
  return waitForUpstreamMs === 0
    ? 'set --wait-for-upstream'
    : `raise --wait-for-upstream above ${duration(waitForUpstreamMs)}`;
}

/** The code of each address that was asked, where the target has several; or else the one. */
function errorCode({ evidence }: Failure): string {
  const said = evidence.detail ?? evidence.errorCode;
  return said === null ? '' : ` (${said})`;
}

function addresses({ evidence: { detail } }: Failure): string {
  return detail === null ? '' : ` (${detail})`;
}
