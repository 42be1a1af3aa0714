/** Addresses: how the upstream's is read, and how addresses are shown. */

import { isIPv4, isIPv6 } from 'node:net';
import type { AddressInfo } from 'node:net';
import { parsed, wrong } from './fault.ts';
import type { Parsed } from './fault.ts';
import type { Target } from './settings.ts';

const FORMS = 'Write it as http://127.0.0.1:8000, django:8000, :8000, 8000 or unix:/run/app.sock';

/** Linux has 108 bytes for a unix socket's path with its NUL, macOS has 104 (unix(7), `sun_path`). */
const MAX_SOCKET_PATH_BYTES = 103;

/**
 * Accepts `http://host:port`, `https://…`, `host:port`, `:8000`, `8000` and `unix:/path`. A port alone means localhost, over
 * IPv4 or IPv6: see upstream/dial.ts.
 */
export function parseTarget(text: string): Parsed<Target> {
  if (text === '') return wrong('is empty', FORMS);
  if (/^unix:/i.test(text)) return parseUnixTarget(text.slice('unix:'.length));
  const port = /^:?(?<port>\d+)$/.exec(text)?.groups?.['port'];
  if (port !== undefined) return tcpTarget(false, 'localhost', port);
  const scheme = /^(?<scheme>[a-z][a-z0-9+.-]*):\/\//i.exec(text)?.groups?.['scheme']?.toLowerCase();
  if (scheme === undefined) return parseHostAndPort(text);
  if (scheme !== 'http' && scheme !== 'https') {
    return wrong(`has the scheme ${scheme}`, 'Use http or https, for WebSockets too');
  }
  return parseAuthority(scheme === 'https', text.slice(scheme.length + '://'.length));
}

/** `http://host:port`, or `unix:/path`. */
export function targetUrl(target: Target): string {
  if (target.kind === 'unix') return `unix:${target.path}`;
  return `${target.tls ? 'https' : 'http'}://${hostAndPort(target.host, target.port)}`;
}

/** The port of a listening socket; null: it does not listen, or it is a unix socket. */
export function portOf(address: AddressInfo | string | null): number | null {
  return typeof address === 'string' ? null : (address?.port ?? null);
}

/** `host:port`, an IPv6 address in its brackets (RFC 3986 section 3.2.2). */
export function hostAndPort(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Whether a host is this machine's loopback, by name or by address. */
export function isLoopback(host: string): boolean {
  return /^localhost\.?$/i.test(host) || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/** Whether a host is the address that stands for all addresses of this machine. */
export function isUnspecified(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** Why a path cannot be that of a unix socket; null: it can. */
export function socketPathProblem(path: string): string | null {
  if (!path.startsWith('/')) return 'is not an absolute path';
  const bytes = Buffer.byteLength(path);
  if (bytes > MAX_SOCKET_PATH_BYTES)
    return `is ${bytes} bytes long, above the maximum of ${MAX_SOCKET_PATH_BYTES}`;
  return null;
}

function parseUnixTarget(rest: string): Parsed<Target> {
  const path = rest.replace(/^\/{2,}/, '/');
  const problem = socketPathProblem(path);
  if (problem !== null) return wrong(problem, 'Write the full path of the socket: unix:/run/app.sock');
  return parsed({ kind: 'unix', path });
}

function parseHostAndPort(text: string): Parsed<Target> {
  if (/[/?#@]/.test(text)) return parseAuthority(false, text);
  if (/^(?:\[[^\]]*\]|[^:]+):\d+$/.test(text)) return parseAuthority(false, text);
  if (isIPv6(text)) return wrong('has no port', `Write [${text}]:8000`);
  return wrong('has no port', `${FORMS}. For port 80, write http://${text}`);
}

function parseAuthority(tls: boolean, rest: string): Parsed<Target> {
  const end = rest.search(/[/?#]/);
  const authority = end === -1 ? rest : rest.slice(0, end);
  const after = end === -1 ? '' : rest.slice(end);
  const refused = surplusOf(authority, after);
  if (refused !== null) return refused;
  const groups = /^(?<host>\[[^\]]*\]|[^:]*)(?::(?<port>\d*))?$/.exec(authority)?.groups;
  if (groups === undefined) return wrong('is not an address', FORMS);
  const port = groups['port'] === undefined || groups['port'] === '' ? (tls ? '443' : '80') : groups['port'];
  return tcpTarget(tls, groups['host'] ?? '', port);
}

/** What a URL may contain and a target may not, because it would be ignored silently. */
function surplusOf(authority: string, after: string): Parsed<never> | null {
  if (authority.includes('@')) {
    return wrong('contains credentials', 'Remove them: each client sends its own Authorization header');
  }
  if (after.includes('?') || after.includes('#')) {
    return wrong('contains a query or a fragment', 'Remove it: each request has its own');
  }
  if (after !== '' && after !== '/') {
    return wrong('contains a path', "Remove it: each request's path is passed on unchanged");
  }
  return null;
}

function tcpTarget(tls: boolean, written: string, portText: string): Parsed<Target> {
  const port = Number(portText);
  if (port < 1 || port > 65_535) return wrong('has an invalid port', 'Use a port from 1 to 65535');
  const host = hostOf(written);
  if (host === null) return wrong('has no valid host name', FORMS);
  return parsed({ kind: 'tcp', tls, host, port });
}

/** The URL parser accepts names, IPv4 in all its spellings and IPv6 (WHATWG URL, section 3.5). */
function hostOf(written: string): string | null {
  const url = `http://${written}:1/`;
  if (written === '' || !URL.canParse(url)) return null;
  return new URL(url).hostname.replace(/^\[(.*)\]$/, '$1');
}
