/** An exchange on a path that the user exempted from buffering: passed on and relayed as it comes. */

import { forwardedRequest } from '../exchange/forwarded-heads.ts';
import type { ForwardedRequest } from '../exchange/forwarded-heads.ts';
import type { UpstreamConnection } from '../upstream/connection.ts';
import type { Evidence } from '../upstream/evidence.ts';
import type { ResponseObservation } from './observed-response.ts';
import { HttpProxyTransport } from './transport.ts';

export class StreamedTransport extends HttpProxyTransport {
  readonly kind = 'streamed';

  protected async pass(connection: UpstreamConnection, observation: ResponseObservation): Promise<Evidence> {
    const { services, incoming, response } = this.asked;
    if (!incoming.complete) incoming.socket.setTimeout(services.settings.clientSendTimeoutMs);
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

  /** A request that is paused waits for the upstream to read. */
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
