/** The events of a proxy, for whoever listens. */

import type { ExchangeBegun, ExchangeClosed, ExchangeRecord } from '../exchange/events.ts';
import type { StrayBytesNotice } from '../exchange/explain.ts';
import type { WaitingNotice } from '../exchange/notices.ts';

/** Listeners see records and can change nothing; one that throws ends nothing but itself. */
export interface ProxyEvents {
  /** An exchange is over. */
  exchange: [record: ExchangeRecord];
  /**
   * An exchange begins. Whoever listens also gets the `notes` in the records of exchanges that begin from then on. Of more
   * than 100 a second (300 in a burst) the others are not told, nor noted: nobody can look at them.
   */
  begun: [begun: ExchangeBegun];
  /**
   * The client's connection is over: for the last exchange that it carried, if that was told as it began. It may come before `exchange`, if the client
   * left.
   */
  closed: [closed: ExchangeClosed];
  /** The admin listener or the inspector failed at something; both go on, and traffic was not touched. */
  adminError: [error: Error];
  /** The system failed to hand over a client's connection, such as for want of memory; the proxy goes on. */
  acceptError: [error: Error];
  /** A request begins to wait for an upstream that takes no connections; told once until it takes one again. */
  waiting: [notice: WaitingNotice];
  /** The upstream sent bytes that no request had asked for; told once, because its connections are used only once from then on. */
  strayBytes: [notice: StrayBytesNotice];
}
