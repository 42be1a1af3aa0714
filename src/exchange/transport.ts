/** The interfaces of an exchange: the services that all exchanges share, one request with its response, and the transport that makes attempts. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Nearby } from '../client/peer.ts';
import type { Settings } from '../config/settings.ts';
import type { ProxyError } from '../errors.ts';
import type { Request } from '../http/request.ts';
import type { Spool } from '../spool/spool.ts';
import type { SpooledBody } from '../spool/spooled-body.ts';
import type { WaitingRoom } from '../upstream/absence.ts';
import type { Accept } from '../upstream/attempt.ts';
import type { Connecting } from '../upstream/connection.ts';
import type { Evidence } from '../upstream/evidence.ts';
import type { ConnectionPool } from '../upstream/pool.ts';
import type { Routes } from '../upstream/routes.ts';
import type { AttemptTimings } from '../upstream/timings.ts';
import type { AttemptRecord, ExchangeRecord } from './events.ts';
import type { HeldBackHints } from './notices.ts';
import type { Watcher } from './recorder.ts';

/** Shared by all exchanges with the same settings. */
export interface Services {
  /** The current settings; an exchange keeps those with which it began. */
  readonly settings: Settings;
  readonly spool: Spool;
  readonly pool: ConnectionPool;
  readonly routes: Routes;
  readonly waitingRoom: WaitingRoom;
  readonly heldBack: HeldBackHints;
  /** The name by which this proxy knows itself in Via (RFC 9110 section 7.6.3). */
  readonly via: string;
  /** Whether the proxy is shutting down, so that connections are not kept alive. */
  isClosing(): boolean;
  readonly connect: (timeoutMs: number) => Connecting;
  /** Opens a connection that is read as a stream. */
  readonly connectAsStream: (timeoutMs: number) => Connecting;
  /** The client's address; for a replay, that of the original client. Empty: unknown. */
  addressOf(socket: Socket): string;
  /** Other servers on this machine, which only local clients are told about. */
  nearby(): Nearby;
  /** Whether this peer's X-Forwarded-*, X-Real-IP and Forwarded fields are trusted. */
  trusts(address: string): boolean;
  /** Called once by each exchange. Null: there is no listener, so only the record is made. */
  watch(): Watcher | null;
  /** Called with the record of each exchange when it has ended. */
  record(record: ExchangeRecord): void;
}

/** One request, and where its response goes. */
export interface Asked {
  readonly services: Services;
  readonly request: Request;
  /** Node's request, for its body and its socket. */
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
  /** Whether the client's connection uses TLS. */
  readonly encrypted: boolean;
  /** How long an idle connection is kept open; null: the server that accepted it decides. */
  readonly keepAliveTimeoutMs: number | null;
  /** An error that is known before the request is checked; null: none. */
  readonly refusal: ProxyError | null;
}

/**
 * - `buffered`: the request body is received first; the response is kept until it is whole, unless its head says that it
 *   must stream
 * - `streamed`: both are forwarded as they arrive
 * - `upgraded`: the connections are joined when the upstream switches protocols; any other response is kept until it is whole
 */
export type TransportKind = 'buffered' | 'streamed' | 'upgraded';

export interface AttemptContext {
  readonly reason: AttemptRecord['reason'];
  /** The complete request body; null: there is none, or it is forwarded as it arrives. */
  readonly body: SpooledBody | null;
  readonly connectTimeoutMs: number;
  readonly accept: Accept;
  /** Null: no timings are taken. */
  readonly notes: AttemptTimings | null;
}

export interface Transport {
  readonly kind: TransportKind;
  /** Whether this route sent 100 (Continue) the last time, as known when the last attempt began. */
  readonly saysContinue: boolean;
  /** Never rejects. Null: protocols were switched, and both connections have ended. */
  attempt(context: AttemptContext): Promise<Evidence | null>;
  /** Ends the current attempt, or the joined connections. */
  abandon(): void;
}
