/** What all exchanges of one proxy share. */

import type { Socket } from 'node:net';
import type { Nearby } from '../client/peer.ts';
import type { Settings } from '../config/settings.ts';
import type { Spool } from '../spool/spool.ts';
import type { Connecting } from '../upstream/connection.ts';
import type { ConnectionPool } from '../upstream/pool.ts';
import type { Routes } from '../upstream/routes.ts';
import type { WaitingRoom } from '../upstream/absence.ts';
import type { ExchangeRecord } from './events.ts';
import type { HeldBackHints } from './notices.ts';
import type { Watcher } from './recorder.ts';

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
