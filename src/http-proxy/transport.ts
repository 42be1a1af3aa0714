/** Attempts through http-proxy: a connection is made for each, and what comes over it is observed. */

import type { Asked, AttemptContext, Transport, TransportKind } from '../exchange/transport.ts';
import type { UpstreamConnection } from '../upstream/connection.ts';
import { CLIENT_GONE, connectFailed, evidenceOf } from '../upstream/evidence.ts';
import type { Evidence } from '../upstream/evidence.ts';
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
      return await this.pass(result.connection, context, signal);
    }
    if (result.kind === 'connected') result.connection.destroy();
    return evidenceOf(result.kind === 'failed' && !signal.aborted ? connectFailed(result) : CLIENT_GONE);
  }

  abandon(): void {
    this.#abandoned.abort();
  }

  /**
   * Passes the request on over a connection that is its own.
   *
   * @param abandoned aborted when there is no sense in going on
   * @returns null: the connection was joined with the client's, and both are over
   */
  protected abstract pass(
    connection: UpstreamConnection,
    context: AttemptContext,
    abandoned: AbortSignal,
  ): Promise<Evidence | null>;
}
