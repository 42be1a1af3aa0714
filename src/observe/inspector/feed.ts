/** Sends changes to watchers as server-sent events. Nothing is queued: each watcher gets the ring's newest state. */

import type { StreamSink } from '../pages.ts';
import type { Filter } from './filter.ts';
import type { Entry } from './ring.ts';
import type { Ring } from './ring.ts';
import type { SummaryView } from './types.ts';

export interface FeedOptions {
  readonly ring: Ring;
  readonly version: string;
  readonly summary: () => SummaryView;
  /** Reports an internal error; the feed continues. */
  readonly failed: (error: unknown) => void;
}

interface FeedWatcher {
  readonly sink: StreamSink;
  readonly filter: Filter;
  /** Everything up to this revision was sent, or is not wanted. */
  sentRevision: number;
  /** Exchanges that were evicted before they could be sent. */
  dropped: number;
  summaryRevision: number;
  /** Consecutive comments that were due while earlier bytes were still unsent. */
  stalled: number;
}

const MAX_WATCHERS = 16;
const COLLECT_MS = 100;
const MAX_ROWS_AT_ONCE = 200;
const SUMMARY_EVERY_MS = 1000;
const COMMENT_EVERY_MS = 15_000;
const MAX_STALLED = 4;

export class Feed {
  readonly #options: FeedOptions;
  readonly #watchers = new Set<FeedWatcher>();
  #collecting: NodeJS.Timeout | null = null;
  #summaryDue: NodeJS.Timeout | null = null;
  #comments: NodeJS.Timeout | null = null;

  constructor(options: FeedOptions) {
    this.#options = options;
    options.ring.onEvicted = (entry) => this.#evicted(entry);
  }

  /**
   * Above the limit, the oldest watcher is ended, so that nobody can lock others out.
   *
   * @param since the last revision that the watcher has; null: only new changes
   * @returns a function that removes it
   */
  add(sink: StreamSink, since: number | null, filter: Filter): () => void {
    const { ring, version } = this.#options;
    for (const longest of this.#watchers) {
      if (this.#watchers.size < MAX_WATCHERS) break;
      this.#end(longest);
    }
    const { revision, number } = ring;
    const watcher: FeedWatcher = {
      sink,
      filter,
      sentRevision: Math.min(since ?? revision, revision),
      dropped: 0,
      summaryRevision: -1,
      stalled: 0,
    };
    this.#watchers.add(watcher);
    this.#comments ??= setInterval(() => this.#guarded(() => this.#comment()), COMMENT_EVERY_MS);
    sink.write(event('hello', { revision, number, version }));
    this.#summarize(watcher);
    this.changed();
    return () => this.#leave(watcher);
  }

  /** To be called when the ring has changed. */
  changed(): void {
    if (this.#watchers.size === 0) return;
    this.#collecting ??= setTimeout(() => {
      this.#collecting = null;
      this.#guarded(() => this.#flush());
    }, COLLECT_MS);
    this.#summaryDue ??= setTimeout(() => {
      this.#summaryDue = null;
      this.#guarded(() => {
        for (const watcher of this.#watchers) this.#summarize(watcher);
      });
    }, SUMMARY_EVERY_MS);
  }

  close(): void {
    for (const watcher of this.#watchers) this.#end(watcher);
  }

  /** Nobody else would catch an error that is thrown in a timer. */
  #guarded(task: () => void): void {
    try {
      task();
    } catch (error) {
      this.#options.failed(error);
    }
  }

  #end(watcher: FeedWatcher): void {
    this.#leave(watcher);
    watcher.sink.end();
  }

  #leave(watcher: FeedWatcher): void {
    this.#watchers.delete(watcher);
    if (this.#watchers.size > 0) return;
    for (const timer of [this.#collecting, this.#summaryDue, this.#comments])
      clearTimeout(timer ?? undefined);
    this.#collecting = null;
    this.#summaryDue = null;
    this.#comments = null;
  }

  #flush(): void {
    let behind = false;
    for (const watcher of this.#watchers) behind = this.#send(watcher) || behind;
    if (behind) this.changed();
  }

  /** @returns whether there is more to send */
  #send(watcher: FeedWatcher): boolean {
    const { ring } = this.#options;
    const { sink, filter } = watcher;
    if (watcher.sentRevision === ring.revision && watcher.dropped === 0) return false;
    if (sink.congested) return true;
    let text = watcher.dropped === 0 ? '' : event('dropped', { count: watcher.dropped });
    watcher.dropped = 0;
    const changed = ring.changedSince(watcher.sentRevision);
    let rows = 0;
    let whole = true;
    for (const entry of changed) {
      if (rows === MAX_ROWS_AT_ONCE) {
        whole = false;
        break;
      }
      watcher.sentRevision = entry.revision;
      const row = ring.row(entry);
      if (filter.narrows && (row.state === 'running' || !filter.passes(row))) continue;
      text += `id: ${row.revision}\n${event('exchange', row)}`;
      rows += 1;
    }
    if (text !== '') sink.write(text);
    // The last change may be of an evicted entry: then no entry has this revision.
    if (whole) watcher.sentRevision = ring.revision;
    return !whole;
  }

  #summarize(watcher: FeedWatcher): void {
    const { ring, summary } = this.#options;
    if (watcher.sink.congested || watcher.summaryRevision === ring.revision) return;
    watcher.summaryRevision = ring.revision;
    watcher.sink.write(event('summary', summary()));
  }

  #evicted(entry: Entry): void {
    for (const watcher of this.#watchers) {
      if (entry.revision > watcher.sentRevision) watcher.dropped += 1;
    }
  }

  /** Keeps proxies in between from closing an idle connection, and finds watchers that have stopped reading. */
  #comment(): void {
    for (const watcher of this.#watchers) {
      watcher.stalled = watcher.sink.congested ? watcher.stalled + 1 : 0;
      if (watcher.stalled === 0) watcher.sink.write(':\n\n');
      if (watcher.stalled >= MAX_STALLED) this.#end(watcher);
    }
  }
}

/** JSON has no line breaks here, so each event is one line of data. */
function event(name: string, value: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(value)}\n\n`;
}
