/** Servers that the command is put in front of, and clients of it. */

import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';

export interface TestServer extends AsyncDisposable {
  readonly port: number;
  /** Resolves with the next request that arrives. */
  nextRequest(): Promise<void>;
}

export async function startServer(answer: RequestListener): Promise<TestServer> {
  const server = createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: portOf(server.address()),
    nextRequest: async () => {
      await once(server, 'request');
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A port that is taken, by something that never answers. */
export async function takenPort(): Promise<{ port: number } & AsyncDisposable> {
  const server = createTcpServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: portOf(server.address()),
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** A GET on a connection of its own. */
export async function get(url: string): Promise<Answer> {
  const outgoing = request(url, { agent: false }).end();
  const responses: IncomingMessage[] = await once(outgoing, 'response');
  let body = '';
  for (const response of responses) for await (const chunk of response) body += String(chunk);
  return { status: responses[0]?.statusCode ?? 0, body };
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('not listening on TCP');
  return address.port;
}
