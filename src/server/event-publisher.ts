/** Publishes the events of a proxy without affecting any exchange. */

import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { ExchangeClosed } from '../exchange/events.ts';
import type { Watcher } from '../exchange/recorder.ts';
import { PreviewRoom } from '../spool/body-preview.ts';
import type { ProxyEvents } from './proxy.ts';

/** Memory for the previews of bodies in progress, of all exchanges together. */
const PREVIEW_ROOM_BYTES = 16 * 1024 * 1024;

/**
 * How long an event waits for others. The log, the metrics and the inspector then do not delay a request that immediately follows a
 * response, and a batch costs them less than its events one by one.
 */
const BATCH_MS = 20;
/** A full batch is published at once: a larger one would delay the requests of a busy proxy noticeably. */
const BATCH_EVENTS = 64;

export class EventPublisher {
  readonly #events: EventEmitter;
  readonly #watcher: Watcher;
  readonly #bucket = new TokenBucket(WATCHED);
  /** Whether every exchange is watched from its beginning, however many there are. */
  watchesAll = false;
  #batch: (() => void)[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(events: EventEmitter<ProxyEvents>) {
    this.#events = events;
    const closing = new ClosingWatch((closed) => this.publish('closed', closed));
    this.#watcher = {
      previewRoom: new PreviewRoom(PREVIEW_ROOM_BYTES),
      begun: (begun, socket, startedMs) => {
        closing.begun(begun.id, socket, startedMs);
        this.publish('begun', begun);
      },
    };
  }

  /** Asked once for each exchange: who watches it from its beginning; null: nobody does. */
  readonly watch = (): Watcher | null => {
    const watched = this.#events.listenerCount('begun') + this.#events.listenerCount('closed') > 0;
    return watched && (this.watchesAll || this.#bucket.take()) ? this.#watcher : null;
  };

  /** Adds one of our own listeners. Its errors become `adminError` events. */
  listen<Name extends keyof ProxyEvents>(
    name: Name,
    listener: (payload: ProxyEvents[Name][0]) => void,
  ): void {
    this.#events.on(name, (payload: ProxyEvents[Name][0]) => {
      try {
        listener(payload);
      } catch (error) {
        this.failed(error);
      }
    });
  }

  /** Publishes an error of the admin listener or the inspector. */
  failed(error: unknown): void {
    this.publish('adminError', error instanceof Error ? error : new Error(String(error)));
  }

  publish<Name extends keyof ProxyEvents>(name: Name, payload: ProxyEvents[Name][0]): void {
    this.#batch.push(() => this.#events.emit(name, payload));
    // A replay has to be recognized before its response is complete.
    if (this.watchesAll || this.#batch.length >= BATCH_EVENTS) this.flush();
    // Nothing has to be kept alive for it: closing the proxy publishes what is left.
    else this.#timer ??= setTimeout(() => this.flush(), BATCH_MS).unref();
  }

  /** Publishes the batch now. A listener that throws does not affect anything else: its error becomes an uncaught exception. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const batch = this.#batch;
    this.#batch = [];
    for (const emit of batch) {
      try {
        emit();
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}

interface Watched {
  id: string;
  startedMs: number;
  clientFinMs: number | null;
  ourFinMs: number | null;
}

/** Watches how clients' connections end, and reports it for the last exchange on each of them. */
class ClosingWatch {
  readonly #watched = new WeakMap<Socket, Watched>();
  readonly #tell: (closed: ExchangeClosed) => void;

  constructor(tell: (closed: ExchangeClosed) => void) {
    this.#tell = tell;
  }

  /** @param startedMs when the exchange began, by the monotonic clock */
  begun(id: string, socket: Socket, startedMs: number): void {
    const watched = this.#watched.get(socket);
    if (watched === undefined) this.#watch(socket, { id, startedMs, clientFinMs: null, ourFinMs: null });
    else Object.assign(watched, { id, startedMs });
  }

  #watch(socket: Socket, watched: Watched): void {
    this.#watched.set(socket, watched);
    socket.once('end', () => {
      watched.clientFinMs = performance.now();
    });
    socket.once('finish', () => {
      watched.ourFinMs = performance.now();
    });
    socket.once('close', (hadError: boolean) => {
      const { id, startedMs, clientFinMs, ourFinMs } = watched;
      const since = (atMs: number | null): number | null => (atMs === null ? null : atMs - startedMs);
      this.#tell({
        id,
        clientFinMs: since(clientFinMs),
        ourFinMs: since(ourFinMs),
        closedMs: performance.now() - startedMs,
        reset: hadError || clientFinMs === null || ourFinMs === null,
      });
    });
  }
}

interface TokenBucketLimits {
  readonly perSecond: number;
  readonly atOnce: number;
}

/** Watching more than a person can look at, as in a load test, would cost more than the exchanges themselves. */
const WATCHED: TokenBucketLimits = { perSecond: 100, atOnce: 300 };

/** Limits how many things happen per second, and how many in a burst. */
export class TokenBucket {
  readonly #limits: TokenBucketLimits;
  readonly #clock: () => number;
  #left: number;
  #sinceMs: number;

  /** @param clock monotonic, in ms */
  constructor(limits: TokenBucketLimits, clock: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#clock = clock;
    this.#left = limits.atOnce;
    this.#sinceMs = clock();
  }

  take(): boolean {
    const { perSecond, atOnce } = this.#limits;
    const nowMs = this.#clock();
    this.#left = Math.min(atOnce, this.#left + ((nowMs - this.#sinceMs) * perSecond) / 1000);
    this.#sinceMs = nowMs;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
