/** What was seen of the exchanges of one proxy, and the pages that tell it. It watches events and can change nothing. */

import type { Settings } from '../../config/settings.ts';
import type { ExchangeBegun, ExchangeClosed, ExchangeRecord } from '../../exchange/events.ts';
import { severityOf } from '../severity.ts';
import { Feed } from './feed.ts';
import { Ring } from './ring.ts';
import { Tally } from './tally.ts';
import type { NowView, SummaryView } from './types.ts';
import { targetUrl } from '../../config/target.ts';

/** What the inspector may ask of its proxy. */
export interface Inspected {
  readonly settings: Settings;
  /** Where clients reach it. */
  readonly url: string;
  load(): Load;
  /** Whether every exchange is watched from its beginning, however many there are. */
  watchAll(all: boolean): void;
  /** Whether the forwarding fields of the client at this address are believed. */
  trusts(address: string): boolean;
  /** Reports an error of the watchers; traffic continues. */
  failed(error: unknown): void;
}

/** What the proxy has and does at this moment. */
export type Load = NowView & { readonly running: number };

export class Inspector {
  readonly #inspected: Inspected;
  readonly #startedAt = new Date().toISOString();
  readonly #tally = new Tally();
  /** Connections from which a replay is on its way: the id of what is replayed, and who wants to know the new one. */
  readonly #expected = new Map<string, { readonly of: string; readonly begun: (id: string) => void }>();
  #unlisted = 0;
  readonly ring: Ring;
  readonly feed: Feed;
  readonly version: string;

  constructor(inspected: Inspected, version: string) {
    this.#inspected = inspected;
    this.version = version;
    this.ring = new Ring();
    this.feed = new Feed({
      ring: this.ring,
      version,
      summary: () => this.summary(),
      failed: (error) => inspected.failed(error),
    });
  }

  get settings(): Settings {
    return this.#inspected.settings;
  }

  get url(): string {
    return this.#inspected.url;
  }

  begun(begun: ExchangeBegun): void {
    const replay = this.#expected.size === 0 ? undefined : this.#expected.get(replayKey(begun));
    this.ring.begun(begun, replay?.of ?? null);
    replay?.begun(begun.id);
    this.feed.changed();
  }

  done(record: ExchangeRecord): void {
    this.#tally.add(record);
    // What was too much to be looked at is listed if there is anything to say about it.
    if (record.notes === null && severityOf(record) === 'ok') this.#unlisted += 1;
    else this.ring.done(record);
    this.feed.changed();
  }

  closed(closed: ExchangeClosed): void {
    this.ring.closed(closed);
    this.feed.changed();
  }

  /** The next exchange on this connection repeats the one named. Returns how to stop expecting it. */
  expectReplay(from: ReplayOrigin, of: string, begun: (id: string) => void): () => void {
    const key = replayKey(from);
    this.#expected.set(key, { of, begun });
    this.#inspected.watchAll(true);
    return () => {
      this.#expected.delete(key);
      this.#inspected.watchAll(this.#expected.size > 0);
    };
  }

  summary(): SummaryView {
    const { url, settings } = this;
    const target = targetUrl(settings.target);
    const { running, ...now } = this.#inspected.load();
    return {
      version: this.version,
      started_at: this.#startedAt,
      url,
      target,
      diagnose: `npx lastbyte diagnose ${target}`,
      running,
      unlisted: this.#unlisted,
      ...this.#tally.counted(),
      now,
      upstream: this.#tally.profile(),
    };
  }

  close(): void {
    this.feed.close();
  }
}

/** A unix socket's connections have no address: there, what is asked for must do. */
export type ReplayOrigin = Pick<ExchangeBegun, 'clientPort' | 'method' | 'url'>;

function replayKey({ clientPort, method, url }: ReplayOrigin): string {
  return clientPort === null ? `${method} ${url}` : String(clientPort);
}
