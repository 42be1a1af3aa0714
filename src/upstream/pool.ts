/** Connections to the upstream between two exchanges: kept, watched, and taken again once they have rested. */

import { performance } from 'node:perf_hooks';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectionReader, UpstreamConnection } from './connection.ts';

interface PoolLimits {
  readonly upstreamIdleTimeoutMs: number;
  readonly maxIdleConnections: number;
}

/** Where so many idle ones may have kept a new one from being accepted, no more are kept: for 5,000 requests a second. */
const FEW_IDLE = 256;

/** Those that any exchange may use. */
export class ConnectionPool {
  /** Those that belong to one client connection. */
  readonly personal: PersonalConnections = new PersonalConnections(() => this.distrust());
  readonly #limits: PoolLimits;
  readonly #distrusted: () => void;
  #closed = false;
  #trusted = true;
  #mostIdle: number;
  /** The one that has rested longest is first. */
  readonly #idle: IdleConnection[] = [];

  /** @param distrusted called once, if it comes to that */
  constructor(limits: PoolLimits, distrusted: () => void) {
    this.#limits = limits;
    this.#mostIdle = limits.maxIdleConnections;
    this.#distrusted = distrusted;
  }

  /**
   * A connection that has rested and is still silent; it keeps its time limit until it is given another. Null, at once or in the
   * end: there is none.
   */
  take(): Promise<UpstreamConnection | null> | null {
    const rested = this.#rested();
    return rested === undefined ? null : this.#firstSilent(rested);
  }

  /** Keeps a connection whose exchange ended as both sides expected. */
  put(connection: UpstreamConnection): void {
    const isWanted = this.#trusted && !this.#closed && this.#idle.length < this.#mostIdle;
    if (!isWanted || !connection.usable) {
      connection.destroy();
      return;
    }
    connection.setTimeout(this.#limits.upstreamIdleTimeoutMs);
    this.#idle.push(new IdleConnection(connection, this.#drop));
  }

  /** Closes what is idle: to an upstream with few threads or a limit of connections, it may keep others from being accepted. */
  makeRoom(): void {
    if (this.#idle.length > FEW_IDLE) this.#mostIdle = FEW_IDLE;
    this.#clear();
  }

  /**
   * The upstream sent bytes that belong to no request. They were found in time; the next ones may not be, so no connection to it
   * is used twice from now on.
   */
  distrust(): void {
    if (!this.#trusted) return;
    this.#trusted = false;
    this.personal.close();
    this.#clear();
    this.#distrusted();
  }

  /** Closes what is idle now, and what is put back later. */
  close(): void {
    this.#closed = true;
    this.personal.close();
    this.#clear();
  }

  async #firstSilent(rested: IdleConnection): Promise<UpstreamConnection | null> {
    for (let idle: IdleConnection | undefined = rested; idle !== undefined; idle = this.#rested()) {
      const connection = await idle.takeIfSilent();
      if (connection !== null) return connection;
    }
    return null;
  }

  #rested(): IdleConnection | undefined {
    const [first] = this.#idle;
    return first !== undefined && first.restLeftMs <= 0 ? this.#idle.shift() : undefined;
  }

  #clear(): void {
    for (const { connection } of this.#idle.splice(0)) connection.destroy();
  }

  readonly #drop = (idle: IdleConnection, how: IdleEnd): void => {
    const index = this.#idle.indexOf(idle);
    if (index >= 0) this.#idle.splice(index, 1);
    if (how === 'stray-bytes') this.distrust();
  };
}

interface Kept {
  readonly idle: IdleConnection;
  readonly forgetWith: () => void;
}

/**
 * Those that belong to one client connection, because a login may hold for all that is sent on them: NTLM and Negotiate
 * authenticate a connection and not a request (RFC 4559 section 6).
 */
class PersonalConnections {
  readonly #strayed: () => void;
  #closed = false;
  readonly #kept = new Map<Duplex, Kept>();

  /** @param strayed bytes came on one of them that nobody had asked for */
  constructor(strayed: () => void) {
    this.#strayed = strayed;
  }

  /** Whether a connection is kept for this client connection. */
  has(client: Duplex): boolean {
    return this.#kept.has(client);
  }

  /** The connection of this client connection, when it has rested and is still silent. Null, at once or in the end: there is none. */
  take(client: Duplex): Promise<UpstreamConnection | null> | null {
    const idle = this.#forget(client);
    return idle === null ? null : afterRest(idle);
  }

  /** Keeps it for as long as both connections live. */
  put(client: Duplex, connection: UpstreamConnection): void {
    if (this.#closed || client.destroyed || !connection.usable || this.#kept.has(client)) {
      connection.destroy();
      return;
    }
    connection.setTimeout(0);
    const idle = new IdleConnection(connection, (_idle, how) => {
      if (this.#kept.get(client)?.idle === idle) this.#forget(client);
      if (how === 'stray-bytes') this.#strayed();
    });
    const forgetWith = (): void => this.#forget(client)?.connection.destroy();
    this.#kept.set(client, { idle, forgetWith });
    client.once('close', forgetWith);
  }

  /** Closes what is kept now, and what is put back later. */
  close(): void {
    this.#closed = true;
    for (const client of this.#kept.keys()) this.#forget(client)?.connection.destroy();
  }

  #forget(client: Duplex): IdleConnection | null {
    const kept = this.#kept.get(client);
    if (kept === undefined) return null;
    this.#kept.delete(client);
    client.off('close', kept.forgetWith);
    return kept.idle;
  }
}

/** No other connection will do, so its rest is waited for. */
async function afterRest(idle: IdleConnection): Promise<UpstreamConnection | null> {
  await sleep(Math.max(0, idle.restLeftMs));
  return await idle.takeIfSilent();
}

/**
 * How long a connection rests before it is used again. An upstream that sends a second response after the first (a bug of its
 * framework, a second `end()`) does that within milliseconds, and whatever comes before the next request is known to be no response to
 * it. 50 ms are also longer than Linux delays an acknowledgement (40 ms): after them it acknowledges at once, and a server that
 * writes a response in parts without TCP_NODELAY, such as Django's runserver, does not wait for it. See decision 12.
 */
export const REST_MS = 50;

/** How a connection ended while it was idle. */
type IdleEnd = 'closed' | 'stray-bytes' | 'timed-out';

/** Nothing may come on it, and it is used again only after it has been silent for a while. */
class IdleConnection implements ConnectionReader {
  readonly connection: UpstreamConnection;
  readonly #sinceMs: number = performance.now();
  readonly #over: (idle: IdleConnection, how: IdleEnd) => void;

  /** @param over it is destroyed, because something happened on it or its time ran out */
  constructor(connection: UpstreamConnection, over: (idle: IdleConnection, how: IdleEnd) => void) {
    this.connection = connection;
    this.#over = over;
    connection.attach(this);
  }

  /** How long it has still to rest, in ms; 0 or less: it has rested. */
  get restLeftMs(): number {
    return REST_MS - (performance.now() - this.#sinceMs);
  }

  /**
   * The connection, if it is still silent; null: it is over. What the kernel has received by now is read before this
   * resolves, however long the event loop stood still: the first turn ends the poll that is under way, the second is
   * after one that began after the call (libuv's design overview, "The I/O loop").
   */
  async takeIfSilent(): Promise<UpstreamConnection | null> {
    await twoTurns();
    if (!this.connection.usable) return null;
    this.connection.attach(null);
    return this.connection;
  }

  window(): null {
    return null;
  }

  bytes(): boolean {
    this.#end('stray-bytes');
    return true;
  }

  ended(): void {
    this.#end('closed');
  }

  timedOut(): void {
    this.#end('timed-out');
  }

  #end(how: IdleEnd): void {
    this.connection.destroy();
    this.#over(this, how);
  }
}

function twoTurns(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => setImmediate(resolve));
  });
}
