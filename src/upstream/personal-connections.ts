/**
 * Upstream connections that belong to one client connection, because a login may hold for all that is sent on them: NTLM and
 * Negotiate authenticate a connection and not a request (RFC 4559 section 6).
 */

import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { UpstreamConnection } from './connection.ts';
import { IdleConnection } from './idle-connection.ts';

interface Kept {
  readonly idle: IdleConnection;
  readonly forgetWith: () => void;
}

export class PersonalConnections {
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
    return idle === null ? null : rested(idle);
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
async function rested(idle: IdleConnection): Promise<UpstreamConnection | null> {
  await sleep(Math.max(0, idle.restLeftMs));
  return await idle.takeIfSilent();
}
