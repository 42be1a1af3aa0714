/** Bare servers of Node for tests of Node itself: on a free port, and gone with all their connections afterwards. */

import { once } from 'node:events';
import type { Server, Socket } from 'node:net';

/** Any server of Node's: net, http, tls. */
export class Bare<T extends Server> implements AsyncDisposable {
  readonly server: T;
  readonly sockets: Socket[] = [];

  private constructor(server: T) {
    this.server = server;
    server.on('connection', (socket: Socket) => this.sockets.push(socket));
  }

  static async start<T extends Server>(server: T): Promise<Bare<T>> {
    const bare = new Bare(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return bare;
  }

  get port(): number {
    const address = this.server.address();
    return address === null || typeof address === 'string' ? 0 : address.port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.server.close(() => resolve());
    });
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }
}

/** A promise and the function that settles it. */
interface Signal<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
}

export function signal<T>(): Signal<T> {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/**
 * Turns of the event loop in which everything that is ready on a local socket is read: what has not happened after
 * them does not happen by itself.
 */
export async function turns(count = 50): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
}
