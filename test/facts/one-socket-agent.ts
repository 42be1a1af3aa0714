/** An agent that gives http.request a socket that is connected already. */

import { once } from 'node:events';
import { Agent } from 'node:http';
import type { ClientRequest, RequestOptions } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

/** Gives every request one connected socket, and says what goes out as the request target. */
export class OneSocketAgent extends Agent {
  readonly #socket: Socket;
  readonly #path: string | null;

  constructor(socket: Socket, path: string | null = null) {
    super({ keepAlive: false });
    this.#socket = socket;
    this.#path = path;
  }

  override createConnection(): Socket {
    return this.#socket;
  }

  /** Node calls it between making a request and writing its head; its types do not know it. */
  addRequest(request: ClientRequest, options: RequestOptions): void {
    if (this.#path !== null) request.path = this.#path;
    const base: unknown = Reflect.get(Agent.prototype, 'addRequest');
    if (typeof base !== 'function') throw new Error('Agent has no addRequest');
    Reflect.apply(base, this, [request, options]);
  }
}

export async function connected(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  await once(socket, 'connect');
  return socket;
}
