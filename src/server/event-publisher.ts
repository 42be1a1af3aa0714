/** Publishes the events of a proxy: told to whoever listens, and at the cost of nobody's exchange. */

import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { ExchangeClosed, ExchangeRecord } from '../exchange/events.ts';
import type { StrayBytesNotice } from '../exchange/explain.ts';
import type { WaitingNotice } from '../exchange/notices.ts';
import type { Watcher } from '../exchange/recorder.ts';
import { PreviewRoom } from '../spool/body-preview.ts';
import type { ProxyEvents } from './proxy-events.ts';

/** Memory for the previews of bodies under way, of all exchanges together. */
const PREVIEW_ROOM_BYTES = 16 * 1024 * 1024;

export class EventPublisher {
  readonly #events: EventEmitter<ProxyEvents>;
  readonly #watcher: Watcher;
  readonly #bucket = new TokenBucket(LOOKED_AT);
  /** Whether all exchanges are told as they begin, however many. */
  lookAtAll = false;

  constructor(events: EventEmitter<ProxyEvents>) {
    this.#events = events;
    const closing = new ClosingWatch((closed) => safely(() => events.emit('closed', closed)));
    this.#watcher = {
      previewRoom: new PreviewRoom(PREVIEW_ROOM_BYTES),
      begun: (begun, socket, startedMs) => {
        closing.begun(begun.id, socket, startedMs);
        safely(() => events.emit('begun', begun));
      },
    };
  }

  /** Asked once for each exchange: who watches it from its beginning; null: nobody does. */
  watch(): Watcher | null {
    const watched = this.#events.listenerCount('begun') + this.#events.listenerCount('closed') > 0;
    return watched && (this.lookAtAll || this.#bucket.take()) ? this.#watcher : null;
  }

  waiting(notice: WaitingNotice): void {
    safely(() => this.#events.emit('waiting', notice));
  }

  strayBytes(notice: StrayBytesNotice): void {
    safely(() => this.#events.emit('strayBytes', notice));
  }

  exchange(record: ExchangeRecord): void {
    safely(() => this.#events.emit('exchange', record));
  }

  acceptError(error: Error): void {
    safely(() => this.#events.emit('acceptError', error));
  }

  adminError(error: unknown): void {
    const told = error instanceof Error ? error : new Error(String(error));
    safely(() => this.#events.emit('adminError', told));
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

interface Watched {
  id: string;
  startedMs: number;
  clientFinMs: number | null;
  ourFinMs: number | null;
}

/** Watches how clients' connections end, and tells it of the last exchange that each of them carried. */
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

/** To keep more than a person can look at, as in a load test, would cost more than the exchanges themselves. */
const LOOKED_AT: TokenBucketLimits = { perSecond: 100, atOnce: 300 };

/** Lets a bounded number of things happen in a second, and some more in a burst. */
export class TokenBucket {
  readonly #limits: TokenBucketLimits;
  readonly #clock: () => number;
  #left: number;
  #sinceMs: number;

  /** @param clock in ms, monotonic */
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
