/** An upgrade: passed on, and when the upstream switches protocols both sockets are joined, half-closes included. */

import type { Socket } from 'node:net';
import { reset } from '../client/linger.ts';
import { forwardedRequest } from '../exchange/forwarded-heads.ts';
import type { ForwardedRequest } from '../exchange/forwarded-heads.ts';
import type { Asked } from '../exchange/transport.ts';
import { offeredProtocols } from '../http/upgrade.ts';
import type { UpstreamConnection } from '../upstream/connection.ts';
import type { Evidence } from '../upstream/evidence.ts';
import type { ResponseObservation } from './observed-response.ts';
import type { Passes } from './passes.ts';
import { HttpProxyTransport } from './transport.ts';

export class UpgradedTransport extends HttpProxyTransport {
  readonly kind = 'upgraded';
  readonly #received: Buffer;

  /** @param received what the client sent after the request's head */
  constructor(passes: Passes, asked: Asked, received: Buffer) {
    super(passes, asked);
    this.#received = received;
  }

  protected async pass(
    connection: UpstreamConnection,
    observation: ResponseObservation,
    abandoned: AbortSignal,
  ): Promise<Evidence | null> {
    const { incoming, response } = this.asked;
    const { socket } = incoming;
    const joined = new Promise<null>((resolve) => {
      this.passes.upgrade(incoming, socket, this.#forwarded(), connection, {
        informed: (interim) => observation.informed(interim),
        responded: (upstream) => observation.responded(upstream),
        failed: (error) => observation.failed(error),
        switched: () => {
          if (!observation.switched(true)) return false;
          abandoned.removeEventListener('abort', observation.abandon);
          response.detachSocket(socket);
          // http-proxy would put it back into the client's socket, which may have ended.
          if (this.#received.length > 0) connection.socket.write(this.#received);
          join(socket, connection, abandoned, () => resolve(null));
          return true;
        },
      });
    });
    const evidence = await Promise.race([joined, observation.evidence]);
    if (evidence !== null) connection.destroy();
    return evidence;
  }

  #forwarded(): ForwardedRequest {
    const { target, fields } = forwardedRequest(this.asked, null);
    const protocols = offeredProtocols(this.asked.request);
    const switching = fields.map((value, index) => (isConnectionValue(fields, index) ? 'Upgrade' : value));
    return { target, fields: [...switching, 'Upgrade', protocols.join(', ')] };
  }
}

/** http-proxy pipes both ways; what it does not do is to pass a reset on as a reset. */
function join(
  socket: Socket,
  connection: UpstreamConnection,
  abandoned: AbortSignal,
  closed: () => void,
): void {
  const upstream = connection.socket;
  upstream.on('error', () => reset(socket));
  upstream.on('end', () => {
    if (connection.endedBy === 'rst') reset(socket);
  });
  upstream.on('close', () => {
    if (connection.endedBy !== 'fin') reset(socket);
  });
  socket.on('error', () => reset(upstream));
  socket.on('close', () => {
    upstream.destroy();
    closed();
  });
  abandoned.addEventListener('abort', () => {
    if (socket.destroyed) return;
    reset(socket);
    reset(upstream);
  });
}

function isConnectionValue(fields: readonly string[], index: number): boolean {
  return index % 2 === 1 && fields[index - 1]?.toLowerCase() === 'connection';
}
