/** Puts what watches a proxy together: the inspector, its pages, and who tells them. */

import type { EventEmitter } from 'node:events';
import { packageVersion } from '../config/version.ts';
import type { ExchangeBegun, ExchangeClosed, ExchangeRecord } from '../exchange/events.ts';
import { apiPages } from '../observe/inspector/api.ts';
import { Inspector } from '../observe/inspector/inspector.ts';
import type { Inspected } from '../observe/inspector/inspector.ts';
import { Metrics } from '../observe/metrics/metrics.ts';
import type { AdminPage } from '../observe/pages.ts';
import { Replays } from './replay.ts';

/** What a proxy tells. Listeners see records and can change nothing; one that throws ends nothing but itself. */
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

export interface Watching {
  readonly pages: readonly AdminPage[];
  close(): void;
}

export function watching(events: EventEmitter<ProxyEvents>, inspected: Inspected): Watching {
  const inspector = new Inspector(inspected, packageVersion());
  const replays = new Replays(inspector);
  const metrics = new Metrics({
    version: inspector.version,
    now: () => ({ ...inspected.now(), running: inspector.running }),
    limits: () => inspected.settings,
  });
  events.on('begun', (begun) => inspector.begun(begun));
  events.on('exchange', (record) => {
    inspector.done(record);
    metrics.add(record);
  });
  events.on('closed', (closed) => inspector.closed(closed));
  return {
    pages: [...apiPages(inspector, (entry) => replays.send(entry)), metrics.page],
    close: () => {
      inspector.close();
      replays.close();
    },
  };
}
