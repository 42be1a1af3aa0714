/** Idle connections to the upstream: kept, watched, and reused after a rest. */

import { performance } from 'node:perf_hooks';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectionReader, UpstreamConnection } from './connection.ts';

interface PoolLimits {
  readonly upstreamIdleTimeoutMs: number;
  readonly maxIdleConnections: number;
}

/** The limit of idle connections once more of them may have kept a new one from being accepted; enough for 5,000 requests per second. */
const FEW_IDLE = 256;

/** Connections that any exchange may use. */
export class ConnectionPool {
  /** Connections that belong to one client connection each. */
  readonly personal: PersonalConnections = new PersonalConnections(() => this.distrust());
  readonly #limits: PoolLimits;
  readonly #distrusted: () => void;
  #closed = false;
  #trusted = true;
  #mostIdle: number;
  /** The longest idle first. */
  readonly #idle: IdleConnection[] = [];

  /** @param distrusted called once, at the first `distrust` */
  constructor(limits: PoolLimits, distrusted: () => void) {
    this.#limits = limits;
    this.#mostIdle = limits.maxIdleConnections;
    this.#distrusted = distrusted;
  }

  /**
   * A connection that has rested and is still silent; its timeout stays until the caller sets another. Null, or a promise of
   * null: there is none.
   */
  take(): Promise<UpstreamConnection | null> | null {
    const rested = this.#rested();
    return rested === undefined ? null : this.#firstSilent(rested);
  }

  /** Keeps a connection whose exchange ended cleanly. */
  put(connection: UpstreamConnection): void {
    const isWanted = this.#trusted && !this.#closed && this.#idle.length < this.#mostIdle;
    if (!isWanted || !connection.usable) {
      connection.destroy();
      return;
    }
    connection.setTimeout(this.#limits.upstreamIdleTimeoutMs);
    this.#idle.push(new IdleConnection(connection, this.#drop));
  }

  /** Closes the idle connections: an upstream with few threads or a connection limit may accept no others while they are open. */
  makeRoom(): void {
    if (this.#idle.length > FEW_IDLE) this.#mostIdle = FEW_IDLE;
    this.#clear();
  }

  /**
   * The upstream sent bytes that belong to no request. They were detected in time, but the next ones may not be, so
   * connections are not reused from now on.
   */
  distrust(): void {
    if (!this.#trusted) return;
    this.#trusted = false;
    this.personal.close();
    this.#clear();
    this.#distrusted();
  }

  /** Closes the idle connections, and those that are returned later. */
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
  readonly onClientClose: () => void;
}

/**
 * Connections that belong to one client connection each, because NTLM and Negotiate authenticate a connection instead of a
 * request (RFC 4559 section 6).
 */
class PersonalConnections {
  readonly #strayed: () => void;
  #closed = false;
  readonly #kept = new Map<Duplex, Kept>();

  /** @param strayed called when bytes without a request arrived on one of them */
  constructor(strayed: () => void) {
    this.#strayed = strayed;
  }

  /** Whether a connection is kept for this client connection. */
  has(client: Duplex): boolean {
    return this.#kept.has(client);
  }

  /** The personal connection of this client connection, after its rest. Null, or a promise of null: there is none. */
  take(client: Duplex): Promise<UpstreamConnection | null> | null {
    const idle = this.#forget(client);
    return idle === null ? null : afterRest(idle);
  }

  /** Keeps the connection until one of the two closes. */
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
    const onClientClose = (): void => this.#forget(client)?.connection.destroy();
    this.#kept.set(client, { idle, onClientClose });
    client.once('close', onClientClose);
  }

  /** Closes the kept connections, and those that are returned later. */
  close(): void {
    this.#closed = true;
    for (const client of this.#kept.keys()) this.#forget(client)?.connection.destroy();
  }

  #forget(client: Duplex): IdleConnection | null {
    const kept = this.#kept.get(client);
    if (kept === undefined) return null;
    this.#kept.delete(client);
    client.off('close', kept.onClientClose);
    return kept.idle;
  }
}

/** Waits for the end of its rest, because no other connection can be used instead. */
async function afterRest(idle: IdleConnection): Promise<UpstreamConnection | null> {
  await sleep(Math.max(0, idle.restLeftMs));
  return await idle.takeIfSilent();
}

/**
 * How long a connection rests before it is reused. An upstream that sends a second response after the first (a framework
 * bug, a second `end()`) does so within milliseconds, and bytes that arrive before the next request cannot be a response to
 * it. 50 ms is also longer than Linux delays an acknowledgement (40 ms): after that it acknowledges at once, so a server
 * that writes a response in parts without TCP_NODELAY, such as Django's runserver, does not wait for it. See decision 12.
 */
export const REST_MS = 50;

/** How a connection ended while it was idle. */
type IdleEnd = 'closed' | 'stray-bytes' | 'timed-out';

/** Watches an idle connection: any byte or end destroys it; it can be reused after `REST_MS` of silence. */
class IdleConnection implements ConnectionReader {
  readonly connection: UpstreamConnection;
  readonly #sinceMs: number = performance.now();
  readonly #onEnd: (idle: IdleConnection, how: IdleEnd) => void;

  /** @param onEnd called when the connection is destroyed, because of an event on it or its timeout */
  constructor(connection: UpstreamConnection, onEnd: (idle: IdleConnection, how: IdleEnd) => void) {
    this.connection = connection;
    this.#onEnd = onEnd;
    connection.attach(this);
  }

  /** Remaining rest, in ms; 0 or less: it has rested. */
  get restLeftMs(): number {
    return REST_MS - (performance.now() - this.#sinceMs);
  }

  /**
   * The connection, if it is still silent; null: it has ended. Everything that the kernel has received by now is read before
   * this resolves, however long the event loop was blocked: the first turn ends the current poll, and the second follows a
   * poll that began after the call (libuv's design overview, "The I/O loop").
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
    this.#onEnd(this, how);
  }
}

function twoTurns(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => setImmediate(resolve));
  });
}
