/** Idle connections to the upstream, kept for the next exchange that may use one. */

import type { UpstreamConnection } from './connection.ts';
import { IdleConnection } from './idle-connection.ts';
import type { IdleEnd } from './idle-connection.ts';
import { PersonalConnections } from './personal-connections.ts';

interface PoolLimits {
  readonly upstreamIdleTimeoutMs: number;
  readonly maxIdleConnections: number;
}

export class ConnectionPool {
  /** Those that belong to one client connection. */
  readonly personal: PersonalConnections = new PersonalConnections(() => this.distrust());
  readonly #limits: PoolLimits;
  readonly #distrusted: () => void;
  #closed = false;
  #trusted = true;
  /** The one that has rested longest is first. */
  readonly #idle: IdleConnection[] = [];

  /** @param distrusted called once, if it comes to that */
  constructor(limits: PoolLimits, distrusted: () => void) {
    this.#limits = limits;
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
    const { upstreamIdleTimeoutMs, maxIdleConnections } = this.#limits;
    const isWanted = this.#trusted && !this.#closed && this.#idle.length < maxIdleConnections;
    if (!isWanted || !connection.usable) {
      connection.destroy();
      return;
    }
    connection.setTimeout(upstreamIdleTimeoutMs);
    this.#idle.push(new IdleConnection(connection, this.#drop));
  }

  /** Closes what is idle: to an upstream with few threads or a limit of connections, it may keep others from being accepted. */
  makeRoom(): void {
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
