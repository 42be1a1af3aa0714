/** Node's http.Server, set up so that it neither drops, closes nor times out anything behind our back; where it listens, and how it stops. */

import { lstatSync, readFileSync, unlinkSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import type { Server, ServerOptions } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect, Server as NetServer } from 'node:net';
import type { Settings } from '../config/settings.ts';

/** How often Node looks for clients that send their head too slowly. */
const CHECK_INTERVAL_MS = 1000;

/** @throws the system's or OpenSSL's error when the certificate or the key cannot be used */
export function createServer(settings: Settings): Server {
  const options: ServerOptions = {
    maxHeaderSize: settings.maxHeaderBytes,
    connectionsCheckingInterval: CHECK_INTERVAL_MS,
    noDelay: true,
    // Node would answer on its own, in chunks and without a word.
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
 * Half-open as all connections here are, but not before the handshake: nothing can be said to a client that closes its
 * side there, and Node would keep its socket until the handshake's clock runs out. That clock is set at the start alone.
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

/** What may change while it runs. */
export function configure(server: Server & { httpAllowHalfOpen?: boolean }, settings: Settings): void {
  // A client that half-closes after its request is answered all the same (RFC 9112 section 9.6).
  server.httpAllowHalfOpen = true;
  server.keepAliveTimeout = settings.keepAliveTimeoutMs;
  server.headersTimeout = settings.clientSendTimeoutMs;
  // The body has a clock of its own, which runs while nothing arrives.
  server.requestTimeout = 0;
  // Node would drop the fields above this number in silence; their size is limited already.
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
 * Clears away the unix socket that a killed process left behind. Only one that nobody listens on is removed; whatever else
 * is there makes listening fail with EADDRINUSE.
 */
async function clearStaleSocket(path: string): Promise<void> {
  if (isSocket(path) && (await nobodyListens(path))) unlinkSync(path);
}

function isSocket(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true;
}

/** The kernel refuses at once where no process has the socket open; any other answer leaves the file alone. */
function nobodyListens(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ path });
    const answer = (nobody: boolean): void => {
      probe.destroy();
      resolve(nobody);
    };
    probe.on('connect', () => answer(false));
    probe.on('error', (error: NodeJS.ErrnoException) => answer(error.code === 'ECONNREFUSED'));
  });
}

/**
 * Stops accepting; resolves when the last connection is gone. http.Server's own `close` would destroy what it takes
 * for idle, also a connection that lingers with bytes unread: the client would lose its response.
 */
export async function stopAccepting(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    NetServer.prototype.close.call(server, () => resolve());
  });
  // Ends the clock that looks for slow clients; there is nothing left to close.
  server.close(() => undefined);
}
