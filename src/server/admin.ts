/** The admin listener: whether the process lives and its upstream answers, told only to local pages and tools. */

import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import type { Socket } from 'node:net';
import { finished } from 'node:stream/promises';
import { isLocalName, isSameOrigin } from './admin-guard.ts';

export interface AdminOptions {
  /** Whether the upstream takes connections. */
  readonly ready: () => Promise<boolean>;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

export interface AdminServer {
  /** Rejects with the system's error (`EADDRINUSE`, `EACCES`) when it cannot listen. */
  start(): Promise<void>;
  /** Ends idle connections at once and those that are being answered after their answer, within a second. */
  close(): Promise<void>;
  /** The address to open; the true port once started. */
  readonly url: string;
}

interface AdminAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly fields?: Readonly<Record<string, string>>;
}

/** A page of the listener. Each answers GET and HEAD. */
type AdminPage = () => AdminAnswer | Promise<AdminAnswer>;

const CLOSE_DEADLINE_MS = 1_000;
const RECEIVE_TIMEOUT_MS = 10_000;

const FIELDS: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Content-Security-Policy':
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
};

export function createAdminServer(options: AdminOptions): AdminServer {
  const pages = adminPages(options);
  /** Connections without a request so far: Node does not count them as idle, and would wait for them. */
  const silent = new Set<Socket>();
  const server = createServer(
    { requestTimeout: RECEIVE_TIMEOUT_MS, headersTimeout: RECEIVE_TIMEOUT_MS },
    (request, response) => {
      silent.delete(request.socket);
      void respond(request, response, pages, options.host);
    },
  );
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

function adminPages({ ready }: AdminOptions): ReadonlyMap<string, AdminPage> {
  const probe = shared(ready);
  return new Map<string, AdminPage>([
    ['/healthz', () => text(200, 'ok')],
    [
      '/readyz',
      async () =>
        (await probe())
          ? text(200, 'The upstream takes connections.')
          : text(503, 'The upstream cannot be reached: see that it runs, and the log for the reason.'),
    ],
  ]);
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

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  pages: ReadonlyMap<string, AdminPage>,
  adminHost: string,
): Promise<void> {
  try {
    // A body is read to its end before the answer: closing over unread octets would reset the connection
    // (RFC 9112 section 9.6). `requestTimeout` bounds it.
    await finished(request.resume());
    send(request, response, await answerTo(request, pages, adminHost));
  } catch {
    // The client left, or was too slow: nobody is there to be answered.
    response.destroy();
  }
}

async function answerTo(
  { headers, method = '', url = '' }: IncomingMessage,
  pages: ReadonlyMap<string, AdminPage>,
  adminHost: string,
): Promise<AdminAnswer> {
  const { host = '', origin } = headers;
  if (!isLocalName(host, adminHost)) return problem(421, 'Misdirected Request', MISDIRECTED);
  if (origin !== undefined && !isSameOrigin(origin, host)) return problem(403, 'Forbidden', FOREIGN);
  const page = pages.get(url.split('?', 1)[0] ?? '');
  if (page === undefined) {
    return problem(
      404,
      'Not Found',
      `There is no such page here. There are: ${[...pages.keys()].join(', ')}.`,
    );
  }
  if (method === 'GET' || method === 'HEAD') return await page();
  return {
    ...problem(405, 'Method Not Allowed', 'Only GET and HEAD are served here.'),
    fields: { Allow: 'GET, HEAD' },
  };
}

const MISDIRECTED =
  'The Host field names neither an IP address nor localhost nor the admin host: a foreign name that points here is how ' +
  'DNS rebinding begins. Use the IP address, or set --admin-host to this name.';
const FOREIGN = 'The request comes from a page of another origin.';

function text(status: number, sentence: string): AdminAnswer {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${sentence}\n` };
}

/** RFC 9457 section 4.2.1: the status says what kind of problem it is, so the type is about:blank. */
function problem(status: number, title: string, detail: string): AdminAnswer {
  const body = JSON.stringify({ type: 'about:blank', title, status, detail });
  return { status, contentType: 'application/problem+json', body: `${body}\n` };
}

function send(request: IncomingMessage, response: ServerResponse, answer: AdminAnswer): void {
  const body = Buffer.from(answer.body);
  response.writeHead(answer.status, {
    ...FIELDS,
    'Content-Type': answer.contentType,
    'Content-Length': body.length,
    ...answer.fields,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
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
