/** What an exchange works with: what those of a proxy share, one request and where its response goes, and how an attempt is made. */

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

/** What all exchanges under one set of settings share. */
export interface Services {
  /** The settings in force; an exchange keeps those it began with. */
  readonly settings: Settings;
  readonly spool: Spool;
  readonly pool: ConnectionPool;
  readonly routes: Routes;
  readonly waitingRoom: WaitingRoom;
  readonly heldBack: HeldBackHints;
  /** The name by which this proxy knows itself in Via (RFC 9110 section 7.6.3). */
  readonly via: string;
  /** Whether the proxy shuts down: connections are not kept alive any longer. */
  isClosing(): boolean;
  readonly connect: (timeoutMs: number) => Connecting;
  /** Opens a connection that is read as a stream. */
  readonly connectAsStream: (timeoutMs: number) => Connecting;
  /** Of the client that a connection speaks for: of a replay, the one whose request is repeated. Empty: there is none. */
  addressOf(socket: Socket): string;
  /** What clients on this machine may know besides. */
  nearby(): Nearby;
  /** Whether this peer's X-Forwarded-*, X-Real-IP and Forwarded fields are to be believed. */
  trusts(address: string): boolean;
  /** Asked once by each exchange: who watches it from its beginning; null: nobody, so nothing more than the record is made. */
  watch(): Watcher | null;
  /** Takes the record of an exchange that is over. */
  record(record: ExchangeRecord): void;
}

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
