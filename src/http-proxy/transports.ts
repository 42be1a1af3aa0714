/** Attempts through http-proxy: each gets its own connection, and its response is observed. */

import type { Socket } from 'node:net';
import { reset } from '../client/linger.ts';
import { forwardInterim } from '../client/response-writer.ts';
import { forwardedRequest } from '../exchange/forwarded-heads.ts';
import type { ForwardedRequest } from '../exchange/forwarded-heads.ts';
import type { Asked, AttemptContext, Transport, TransportKind } from '../exchange/transport.ts';
import { offeredProtocols } from '../http/upgrade.ts';
import type { UpstreamConnection } from '../upstream/connection.ts';
import { CLIENT_GONE, connectFailed, evidenceOf } from '../upstream/evidence.ts';
import type { Evidence } from '../upstream/evidence.ts';
import { ResponseObservation } from './observed-response.ts';
import type { Passes } from './passes.ts';

abstract class HttpProxyTransport implements Transport {
  abstract readonly kind: TransportKind;
  readonly saysContinue = false;
  protected readonly asked: Asked;
  protected readonly passes: Passes;
  readonly #abandoned = new AbortController();

  constructor(passes: Passes, asked: Asked) {
    this.passes = passes;
    this.asked = asked;
  }

  async attempt(context: AttemptContext): Promise<Evidence | null> {
    const { signal } = this.#abandoned;
    const connecting = this.asked.services.connectAsStream(context.connectTimeoutMs);
    const cancel = (): void => connecting.cancel();
    signal.addEventListener('abort', cancel);
    if (signal.aborted) cancel();
    const result = await connecting.result;
    signal.removeEventListener('abort', cancel);
    if (result.kind === 'connected' && !signal.aborted) {
      context.notes?.mark('connectedMs');
      const observation = this.#observe(result.connection, context);
      signal.addEventListener('abort', observation.abandon);
      return await this.pass(result.connection, observation, signal);
    }
    if (result.kind === 'connected') result.connection.destroy();
    return evidenceOf(result.kind === 'failed' && !signal.aborted ? connectFailed(result) : CLIENT_GONE);
  }

  abandon(): void {
    this.#abandoned.abort();
  }

  /** Whether the upstream is still waiting for the request. */
  protected awaitsClient(): boolean {
    return false;
  }

  /**
   * Forwards the request over its own connection.
   *
   * @param observation of the response; it ends when `abandoned` is aborted
   * @param abandoned aborted when there is no reason to continue
   * @returns null: the connection was joined with the client's, and both are closed
   */
  protected abstract pass(
    connection: UpstreamConnection,
    observation: ResponseObservation,
    abandoned: AbortSignal,
  ): Promise<Evidence | null>;

  #observe(connection: UpstreamConnection, { accept, notes }: AttemptContext): ResponseObservation {
    const { services, request, response } = this.asked;
    return new ResponseObservation({
      method: request.method,
      connection,
      settings: services.settings,
      awaitsClient: () => this.awaitsClient(),
      interim: (head) => forwardInterim(response, request, head),
      accept,
      notes,
    });
  }
}

/** On a path that the user exempted from buffering: request and response are forwarded as they arrive. */
export class StreamedTransport extends HttpProxyTransport {
  readonly kind = 'streamed';

  protected async pass(connection: UpstreamConnection, observation: ResponseObservation): Promise<Evidence> {
    const { services, incoming, response } = this.asked;
    if (!incoming.complete) incoming.socket.setTimeout(services.settings.clientSendTimeoutMs);
    this.passes.stream(incoming, response, this.#forwarded(), connection, observation);
    const evidence = await observation.evidence;
    incoming.socket.setTimeout(0);
    connection.destroy();
    return evidence;
  }

  /** A paused request waits for the upstream to read. */
  protected override awaitsClient(): boolean {
    const { incoming } = this.asked;
    return !incoming.complete && incoming.readableFlowing === true;
  }

  #forwarded(): ForwardedRequest {
    const { framing } = this.asked.request;
    const length = framing.kind === 'length' ? framing.length : null;
    const { target, fields } = forwardedRequest(this.asked, length);
    const coding = framing.kind === 'chunked' ? ['Transfer-Encoding', 'chunked'] : [];
    return { target, fields: [...fields, ...coding] };
  }
}

/** An upgrade: when the upstream switches protocols, both sockets are joined, including half-closes. */
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
      observation.takeSwitch = () => {
        abandoned.removeEventListener('abort', observation.abandon);
        response.detachSocket(socket);
        // http-proxy would put it back into the client's socket, which may have ended.
        if (this.#received.length > 0) connection.socket.write(this.#received);
        join(socket, connection, abandoned, () => resolve(null));
      };
    });
    this.passes.upgrade(incoming, socket, this.#forwarded(), connection, observation);
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

/** http-proxy pipes both ways, but does not forward a reset as a reset. */
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
