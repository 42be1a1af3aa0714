/** Attempts through http-proxy: a connection is made for each, and what comes over it is observed. */

import { forwardInterim } from '../client/response-writer.ts';
import type { Asked, AttemptContext, Transport, TransportKind } from '../exchange/transport.ts';
import type { UpstreamConnection } from '../upstream/connection.ts';
import { CLIENT_GONE, connectFailed, evidenceOf } from '../upstream/evidence.ts';
import type { Evidence } from '../upstream/evidence.ts';
import { ResponseObservation } from './observed-response.ts';
import type { Passes } from './passes.ts';

export abstract class HttpProxyTransport implements Transport {
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

  /** Whether the upstream can only wait, because the request is still to come. */
  protected awaitsClient(): boolean {
    return false;
  }

  /**
   * Passes the request on over a connection that is its own.
   *
   * @param observation of what comes over it; it ends when `abandoned` is aborted
   * @param abandoned aborted when there is no sense in going on
   * @returns null: the connection was joined with the client's, and both are over
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
