/** An exchange on a path that the user exempted from buffering: passed on and relayed as it comes. */

import { forwardInterim } from '../client/response-writer.ts';
import { forwardedRequest, headContext } from '../exchange/forwarded-heads.ts';
import type { ForwardedRequest } from '../exchange/forwarded-heads.ts';
import type { AttemptContext } from '../exchange/transport.ts';
import type { UpstreamConnection } from '../upstream/connection.ts';
import type { Evidence } from '../upstream/evidence.ts';
import { ResponseObservation } from './observed-response.ts';
import { HttpProxyTransport } from './transport.ts';

export class StreamedTransport extends HttpProxyTransport {
  readonly kind = 'streamed';

  protected async pass(
    connection: UpstreamConnection,
    { accept, notes }: AttemptContext,
    abandoned: AbortSignal,
  ): Promise<Evidence> {
    const { services, request, incoming, response } = this.asked;
    const { settings } = services;
    const observation = new ResponseObservation({
      method: request.method,
      connection,
      settings,
      // One that is paused waits for the upstream to read.
      awaitsClient: () => !incoming.complete && incoming.readableFlowing === true,
      interim: (head) => forwardInterim(response, request, head),
      accept,
      notes,
    });
    abandoned.addEventListener('abort', observation.abandon);
    if (!incoming.complete) incoming.socket.setTimeout(settings.clientSendTimeoutMs);
    this.passes.stream(incoming, response, this.#forwarded(), connection, {
      informed: (interim) => observation.informed(interim),
      responded: (upstream) => observation.responded(upstream),
      switched: () => observation.switched(false),
      failed: (error) => observation.failed(error),
    });
    const evidence = await observation.evidence;
    incoming.socket.setTimeout(0);
    connection.destroy();
    return evidence;
  }

  #forwarded(): ForwardedRequest {
    const { services, request, incoming, encrypted } = this.asked;
    const { framing } = request;
    const length = framing.kind === 'length' ? framing.length : null;
    const context = headContext(services, incoming.socket, encrypted);
    const { target, fields } = forwardedRequest(request, length, context);
    const coding = framing.kind === 'chunked' ? ['Transfer-Encoding', 'chunked'] : [];
    return { target, fields: [...fields, ...coding] };
  }
}
