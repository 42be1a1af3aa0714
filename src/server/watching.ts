/** Puts what watches a proxy together: the inspector, its pages, and who tells them. */

import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { packageVersion } from '../config/version.ts';
import { apiPages } from '../observe/inspector/api.ts';
import { Inspector } from '../observe/inspector/inspector.ts';
import type { Inspected } from '../observe/inspector/inspector.ts';
import { Metrics } from '../observe/metrics.ts';
import { pageFiles } from '../observe/pages.ts';
import type { AdminPage } from '../observe/pages.ts';
import type { ProxyEvents } from './proxy-events.ts';
import { Replays } from './replay.ts';

export interface Watching {
  readonly pages: readonly AdminPage[];
  /** The address of the client whose request comes again on this connection; null: it is no replay. */
  replayedFor(socket: Socket): string | null;
  close(): void;
}

/** @param halfCloses whether a client that has closed its sending side is answered */
export function watching(
  events: EventEmitter<ProxyEvents>,
  inspected: Inspected,
  halfCloses: boolean,
): Watching {
  const inspector = new Inspector(inspected, packageVersion());
  const replays = new Replays(inspector, (address) => inspected.trusts(address), halfCloses);
  const metrics = new Metrics({
    version: inspector.version,
    now: () => inspected.now(),
    limits: () => inspected.settings(),
  });
  /** These are watchers of our own: what they throw must not end the process. */
  const guarded =
    <T>(watch: (seen: T) => void) =>
    (seen: T): void => {
      try {
        watch(seen);
      } catch (error) {
        inspected.failed(error);
      }
    };
  events.on(
    'begun',
    guarded((begun) => inspector.begun(begun)),
  );
  events.on(
    'exchange',
    guarded((record) => inspector.done(record)),
  );
  events.on(
    'exchange',
    guarded((record) => metrics.add(record)),
  );
  events.on(
    'closed',
    guarded((closed) => inspector.closed(closed)),
  );
  events.on('adminError', () => metrics.adminFailed());
  return {
    pages: [
      ...pageFiles(),
      ...apiPages(inspector, (entry, request) => replays.send(entry, request)),
      metrics.page,
    ],
    replayedFor: (socket) => replays.clientOf(socket),
    close: () => {
      inspector.close();
      replays.close();
    },
  };
}
