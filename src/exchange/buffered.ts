/** Attempts over our own upstream connections, whose end is known for certain. */

import { forwardInterim } from '../client/response-writer.ts';
import { logsConnectionIn } from '../http/framing.ts';
import { isSafe, mayRetry } from '../http/request.ts';
import type { SpooledBody } from '../spool/spooled-body.ts';
import { Attempt } from '../upstream/attempt.ts';
import type { Evidence } from '../upstream/evidence.ts';
import type { Hold } from '../upstream/request-sender.ts';
import { AT_ONCE } from '../upstream/routes.ts';
import { judge } from '../upstream/verdict.ts';
import { upstreamHead } from './forwarded-heads.ts';
import type { Asked, AttemptContext, Transport } from './transport.ts';

export class BufferedTransport implements Transport {
  readonly kind = 'buffered';
  readonly #asked: Asked;
  readonly #logsIn: boolean;
  #head: string | null = null;
  #attempt: Attempt | null = null;
  saysContinue = false;

  constructor(asked: Asked) {
    this.#asked = asked;
    this.#logsIn = logsConnectionIn(asked.request.fields);
  }

  async attempt(context: AttemptContext): Promise<Evidence> {
    const { services, request } = this.#asked;
    const body = context.body === null || context.body.bytes === 0 ? null : context.body;
    const hold = this.#hold(body);
    this.saysContinue = hold.saysContinue;
    this.#head ??= this.#makeHead(context.body);
    this.#attempt = this.#newAttempt(context, body, hold, this.#head);
    const evidence = await this.#attempt.run();
    this.#attempt = null;
    if (body !== null) services.routes.learn(request.method, request.target, hold, judge(evidence), evidence);
    return evidence;
  }

  abandon(): void {
    this.#attempt?.abandon();
  }

  #makeHead(body: SpooledBody | null): string {
    const bodyBytes = this.#asked.request.framing.kind === 'none' ? null : (body?.bytes ?? 0);
    return upstreamHead(this.#asked, bodyBytes);
  }

  #hold(body: SpooledBody | null): Hold {
    const { services, incoming, request } = this.#asked;
    // An authenticated connection must stay reusable, so its requests are sent completely.
    const isPersonal = this.#logsIn || services.pool.personal.has(incoming.socket);
    return body === null || isPersonal
      ? AT_ONCE
      : services.routes.hold(request.method, request.target, services.settings);
  }

  #newAttempt(
    { reason, connectTimeoutMs, accept, notes }: AttemptContext,
    body: SpooledBody | null,
    hold: Hold,
    head: string,
  ): Attempt {
    const { services, request, incoming, response } = this.#asked;
    const { settings, pool } = services;
    const { method, fields } = request;
    return new Attempt({
      method,
      head,
      body,
      hold,
      maxHeaderBytes: settings.maxHeaderBytes,
      firstByteTimeoutMs: settings.firstByteTimeoutMs,
      bodyIdleTimeoutMs: settings.bodyIdleTimeoutMs,
      // An idle connection may be closing, so only a request that may be sent twice uses one.
      mayReuse:
        reason === 'first' &&
        body === null &&
        isSafe(method) &&
        mayRetry(method, fields, settings.retryMethods),
      client: incoming.socket,
      logsIn: this.#logsIn,
      pool,
      connect: () => services.connect(connectTimeoutMs),
      interim: (interimHead) => forwardInterim(response, request, interimHead),
      accept,
      notes,
    });
  }
}
