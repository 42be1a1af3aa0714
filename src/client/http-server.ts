/** Node's http.Server, configured so that it drops, closes and times out nothing on its own; where it listens, and how it stops. */

import { lstatSync, readFileSync, unlinkSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import type { Server, ServerOptions } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect, Server as NetServer } from 'node:net';
import type { Settings } from '../config/settings.ts';

/** How often Node checks for clients that send their head too slowly. */
const CHECK_INTERVAL_MS = 1000;

/** @throws the system's or OpenSSL's error when the certificate or the key cannot be used */
export function createServer(settings: Settings): Server {
  const options: ServerOptions = {
    maxHeaderSize: settings.maxHeaderBytes,
    connectionsCheckingInterval: CHECK_INTERVAL_MS,
    noDelay: true,
    // Node's own 400 has no explanation; `checkRequest` refuses instead.
    requireHostHeader: false,
  };
  const { tlsCert, tlsKey } = settings;
  const server =
    tlsCert === null || tlsKey === null
      ? createHttpServer(options)
      : createTlsServer(options, tlsCert, tlsKey, settings.clientSendTimeoutMs);
  configure(server, settings);
  return server;
}

/**
 * Half-open like all connections here, but not before the handshake: a client that closes its side during it cannot be
 * sent anything, and Node would keep its socket until the handshake timeout. That timeout can be set only at creation.
 */
function createTlsServer(
  options: ServerOptions,
  certFile: string,
  keyFile: string,
  handshakeTimeout: number,
): Server {
  const cert = readFileSync(certFile);
  const key = readFileSync(keyFile);
  return createHttpsServer({ ...options, allowHalfOpen: true, handshakeTimeout, cert, key })
    .prependListener('connection', (socket) => {
      socket.allowHalfOpen = false;
    })
    .prependListener('secureConnection', (socket) => {
      socket.allowHalfOpen = true;
    });
}

/** Applies the settings that can change while the server runs. */
export function configure(server: Server & { httpAllowHalfOpen?: boolean }, settings: Settings): void {
  // A client that half-closes after its request still gets its response (RFC 9112 section 9.6).
  server.httpAllowHalfOpen = true;
  server.keepAliveTimeout = settings.keepAliveTimeoutMs;
  server.headersTimeout = settings.clientSendTimeoutMs;
  // The body has its own timeout, for the time in which nothing arrives.
  server.requestTimeout = 0;
  // Node would silently drop fields above a maximum count; their size is limited anyway.
  server.maxHeadersCount = 0;
}

/** @throws the system's error, such as EADDRINUSE */
export async function listen(
  server: Server,
  { socketPath, host, port }: Pick<Settings, 'socketPath' | 'host' | 'port'>,
): Promise<void> {
  if (socketPath !== null) await clearStaleSocket(socketPath);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath === null ? { host, port } : { path: socketPath }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/**
 * Removes the unix socket of a killed process. Only a socket on which no process listens is removed; any other file makes
 * listening fail with EADDRINUSE.
 */
async function clearStaleSocket(path: string): Promise<void> {
  if (isSocket(path) && (await nobodyListens(path))) unlinkSync(path);
}

function isSocket(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true;
}

/** The kernel refuses at once if no process has the socket open; on any other result the file is kept. */
function nobodyListens(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ path });
    const finish = (nobody: boolean): void => {
      probe.destroy();
      resolve(nobody);
    };
    probe.on('connect', () => finish(false));
    probe.on('error', (error: NodeJS.ErrnoException) => finish(error.code === 'ECONNREFUSED'));
  });
}

/**
 * Stops accepting; resolves when the last connection has closed. http.Server's own `close` would destroy connections that
 * it considers idle, including one that lingers with unread bytes: its client would lose the response.
 */
export async function stopAccepting(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    NetServer.prototype.close.call(server, () => resolve());
  });
  // Stops Node's check for slow clients; no connections are left to close.
  server.close(() => undefined);
}
