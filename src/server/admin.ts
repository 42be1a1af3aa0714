/** The admin listener: serves pages to local people and tools, and to nobody else. */

import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { isIP } from 'node:net';
import type { Socket } from 'node:net';
import { textAnswer } from '../observe/pages.ts';
import type { AdminPage } from '../observe/pages.ts';
import { respond } from './admin-exchange.ts';

export interface AdminOptions {
  /** Whether the upstream takes connections. */
  readonly ready: () => Promise<boolean>;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Served besides the health checks. */
  readonly pages?: readonly AdminPage[];
  /** Is told of errors of our own; the listener goes on. */
  readonly failed?: (error: unknown) => void;
}

export interface AdminServer {
  /** Rejects with the system's error (`EADDRINUSE`, `EACCES`) when it cannot listen. */
  start(): Promise<void>;
  /** Ends idle connections at once and those that are being answered after their response, within a second. */
  close(): Promise<void>;
  /** The address to open; the true port once started. */
  readonly url: string;
}

const CLOSE_DEADLINE_MS = 1_000;
const RECEIVE_TIMEOUT_MS = 10_000;
/** A client that takes nothing for so long of what it asked for is cut off. */
const IDLE_TIMEOUT_MS = 60_000;

export function createAdminServer(options: AdminOptions): AdminServer {
  const { host, failed = () => undefined } = options;
  const site = { host, failed, pages: [...healthPages(options.ready), ...(options.pages ?? [])] };
  /** Connections without a request so far: Node does not count them as idle, and would wait for them. */
  const silent = new Set<Socket>();
  const server = createServer(
    { requestTimeout: RECEIVE_TIMEOUT_MS, headersTimeout: RECEIVE_TIMEOUT_MS },
    (request, response) => {
      silent.delete(request.socket);
      void respond(request, response, site);
    },
  );
  server.timeout = IDLE_TIMEOUT_MS;
  // Also an accept that fails (out of descriptors, say) is an event of this name.
  server.on('error', (error) => {
    if (server.listening) failed(error);
  });
  server.on('connection', (socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  return {
    start: () => listen(server, options),
    close: () => close(server, silent),
    get url() {
      return urlOf(server, options);
    },
  };
}

/** Whether the process lives, and whether its upstream takes connections. */
function healthPages(ready: () => Promise<boolean>): readonly AdminPage[] {
  const probe = shared(ready);
  return [
    { path: '/healthz', method: 'GET', answer: () => textAnswer(200, 'ok') },
    {
      path: '/readyz',
      method: 'GET',
      answer: async () =>
        (await probe())
          ? textAnswer(200, 'The upstream takes connections.')
          : textAnswer(503, 'The upstream cannot be reached: see that it runs, and the log for the reason.'),
    },
  ];
}

/** One question at a time to the upstream, however many ask here. A probe that fails is a no. */
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

function listen(server: Server, { host, port }: AdminOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function close(server: Server, silent: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    const deadline = setTimeout(() => server.closeAllConnections(), CLOSE_DEADLINE_MS);
    // The error says that it did not listen: then there is nothing to close.
    server.close(() => {
      clearTimeout(deadline);
      resolve();
    });
    server.closeIdleConnections();
    for (const socket of silent) socket.destroy();
  });
}

function urlOf(server: Server, { host, port }: AdminOptions): string {
  const address = server.address();
  const actualPort = address !== null && typeof address === 'object' ? address.port : port;
  return `http://${isIP(host) === 6 ? `[${host}]` : host}:${actualPort}`;
}
