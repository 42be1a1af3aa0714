/** The admin listener: serves pages to people and tools on this machine only. */

import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { listen } from '../client/http-server.ts';
import { hostAndPort, portOf } from '../config/target.ts';
import { textResponse } from '../observe/pages.ts';
import type { AdminPage } from '../observe/pages.ts';
import { respond } from './admin-exchange.ts';

export interface AdminOptions {
  /** Whether the upstream accepts connections. */
  readonly ready: () => Promise<boolean>;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Served in addition to the health checks. */
  readonly pages?: readonly AdminPage[];
  /** Reports an internal error; the listener continues. */
  readonly failed?: (error: unknown) => void;
}

export interface AdminServer {
  /** Rejects with the system's error (`EADDRINUSE`, `EACCES`) when it cannot listen. */
  start(): Promise<void>;
  /** Closes idle connections at once, and the others after their response, within a second. */
  close(): Promise<void>;
  /** The address to open. The port is known once it has started. */
  readonly url: string;
}

const CLOSE_DEADLINE_MS = 1_000;
const RECEIVE_TIMEOUT_MS = 10_000;
/** A client that reads nothing of its response for this long is cut off. */
const IDLE_TIMEOUT_MS = 60_000;

export function createAdminServer(options: AdminOptions): AdminServer {
  const { host, failed = () => undefined } = options;
  const site = { host, failed, pages: [...healthPages(options.ready), ...(options.pages ?? [])] };
  /** Connections without a request yet: Node does not count them as idle, and would wait for them. */
  const silent = new Set<Socket>();
  const server = createServer(
    { requestTimeout: RECEIVE_TIMEOUT_MS, headersTimeout: RECEIVE_TIMEOUT_MS },
    (request, response) => {
      silent.delete(request.socket);
      void respond(request, response, site);
    },
  );
  server.timeout = IDLE_TIMEOUT_MS;
  // A failed accept (e.g. for lack of descriptors) is also an `error` event.
  server.on('error', (error) => {
    if (server.listening) failed(error);
  });
  server.on('connection', (socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  return {
    start: () => listen(server, { socketPath: null, host, port: options.port }),
    close: () => close(server, silent),
    get url() {
      return urlOf(server, options);
    },
  };
}

/** Liveness of the process, and whether its upstream accepts connections. */
function healthPages(ready: () => Promise<boolean>): readonly AdminPage[] {
  const probe = shared(ready);
  return [
    { path: '/healthz', method: 'GET', respond: () => textResponse(200, 'ok') },
    {
      path: '/readyz',
      method: 'GET',
      respond: async () =>
        (await probe())
          ? textResponse(200, 'The upstream takes connections.')
          : textResponse(
              503,
              'The upstream cannot be reached: see that it runs, and the log for the reason.',
            ),
    },
  ];
}

/** One probe at a time, however many requests. A probe that throws counts as not ready. */
function shared(ready: () => Promise<boolean>): () => Promise<boolean> {
  let underWay: Promise<boolean> | null = null;
  const ask = async (): Promise<boolean> => {
    try {
      return await ready();
    } catch {
      return false;
    } finally {
      underWay = null;
    }
  };
  return () => (underWay ??= ask());
}

function close(server: Server, silent: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    const deadline = setTimeout(() => server.closeAllConnections(), CLOSE_DEADLINE_MS);
    // An error means that it was not listening: then there is nothing to close.
    server.close(() => {
      clearTimeout(deadline);
      resolve();
    });
    server.closeIdleConnections();
    for (const socket of silent) socket.destroy();
  });
}

function urlOf(server: Server, { host, port }: AdminOptions): string {
  return `http://${hostAndPort(host, portOf(server.address()) ?? port)}`;
}
