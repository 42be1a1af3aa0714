/** What a proxy tells, and how: to whoever listens, and at the cost of nobody's exchange. */

import type { EventEmitter } from 'node:events';
import type { ExchangeBegun, ExchangeClosed, ExchangeRecord } from '../exchange/events.ts';
import type { Watcher } from '../exchange/notes.ts';
import { Allowance, LOOKED_AT } from '../observe/allowance.ts';
import { ClosingWatch } from './closing-watch.ts';

/** Listeners see records and can change nothing; one that throws ends nothing but itself. */
export interface ProxyEvents {
  /** An exchange is over. */
  exchange: [record: ExchangeRecord];
  /** An exchange begins. Whoever listens also gets the `notes` in the records of exchanges that begin from then on. */
  begun: [begun: ExchangeBegun];
  /**
   * The client's connection is over: for the last exchange that it carried. It may come before `exchange`, if the client
   * left.
   */
  closed: [closed: ExchangeClosed];
}

export class Teller {
  readonly #events: EventEmitter<ProxyEvents>;
  readonly #watcher: Watcher;

  constructor(events: EventEmitter<ProxyEvents>) {
    this.#events = events;
    const bodies = new Allowance(LOOKED_AT);
    const closing = new ClosingWatch((closed) => safely(() => events.emit('closed', closed)));
    this.#watcher = {
      begun: (begun, socket, startedMs) => {
        closing.begun(begun.id, socket, startedMs);
        safely(() => events.emit('begun', begun));
        return bodies.take();
      },
    };
  }

  /** Who watches exchanges from their beginning; null: nobody does. */
  get watcher(): Watcher | null {
    const watched = this.#events.listenerCount('begun') + this.#events.listenerCount('closed') > 0;
    return watched ? this.#watcher : null;
  }

  over(record: ExchangeRecord): void {
    safely(() => this.#events.emit('exchange', record));
  }
}

/** A watcher's fault must not become the exchange's; it surfaces as an uncaught exception of its own. */
function safely(tell: () => void): void {
  try {
    tell();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
