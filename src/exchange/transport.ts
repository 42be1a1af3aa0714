/** How one attempt is made: over a connection of our own, or through http-proxy. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ProxyError } from '../errors.ts';
import type { Request } from '../http/request.ts';
import type { SpooledBody } from '../spool/spooled-body.ts';
import type { Accept } from '../upstream/attempt.ts';
import type { AttemptTimings } from '../upstream/timings.ts';
import type { Evidence } from '../upstream/evidence.ts';
import type { AttemptRecord } from './events.ts';
import type { Services } from './services.ts';

/** One request, and where its response goes. */
export interface Asked {
  readonly services: Services;
  readonly request: Request;
  /** The request as Node has it: for its body and its socket. */
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
  /** Whether the client's connection is. */
  readonly encrypted: boolean;
  /** How long the connection is kept while it is idle; null: the server that has it says so itself. */
  readonly keepAliveTimeoutMs: number | null;
  /** Why it cannot be answered, as is known before it is looked at; null: nothing speaks against it. */
  readonly refusal: ProxyError | null;
}

/**
 * - `buffered`: the request body is received first; the response is kept until it is whole, unless its head says that it
 *   must stream
 * - `streamed`: both are passed on as they come
 * - `upgraded`: the connections are joined when the upstream switches protocols; any other response is kept until it is whole
 */
export type TransportKind = 'buffered' | 'streamed' | 'upgraded';

export interface AttemptContext {
  readonly reason: AttemptRecord['reason'];
  /** Of the request, received in full; null: it has none, or it is passed on as it comes. */
  readonly body: SpooledBody | null;
  readonly connectTimeoutMs: number;
  readonly accept: Accept;
  /** Null: nobody watches. */
  readonly notes: AttemptTimings | null;
}

export interface Transport {
  readonly kind: TransportKind;
  /** Whether this route said 100 (Continue) when it was asked last, as it was known when the last attempt began. */
  readonly saysContinue: boolean;
  /** Never rejects. Null: protocols were switched, and both connections are over. */
  attempt(context: AttemptContext): Promise<Evidence | null>;
  /** Ends the attempt under way, and joined connections: there is no sense in going on. */
  abandon(): void;
}
