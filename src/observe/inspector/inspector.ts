/** The inspector of one proxy: its newest exchanges, counts since the start, and the feed. It only watches events. */

import type { Settings } from '../../config/settings.ts';
import { targetUrl } from '../../config/target.ts';
import { count } from '../../config/units.ts';
import type {
  AttemptRecord,
  ExchangeBegun,
  ExchangeClosed,
  ExchangeRecord,
  Outcome,
} from '../../exchange/events.ts';
import { keepsAlive } from '../../http/framing.ts';
import { savedBy, severityOf } from '../severity.ts';
import { Feed } from './feed.ts';
import { Ring } from './ring.ts';
import type { NowView, SummaryView, UpstreamProfile } from './types.ts';

/** What the inspector reads from its proxy. */
export interface Inspected {
  readonly settings: Settings;
  /** Where clients reach it. */
  readonly url: string;
  load(): Load;
  /** Whether every exchange is watched from its beginning, however many there are. */
  watchAll(all: boolean): void;
  /** Reports an error of the watchers; traffic continues. */
  failed(error: unknown): void;
}

/** What the proxy has and does at this moment. */
export type Load = NowView & { readonly running: number };

export class Inspector {
  readonly #inspected: Inspected;
  readonly #startedAt = new Date().toISOString();
  readonly #tally = new Tally();
  /** Connections with a replay on its way: the id of the original, and who waits for the new id. */
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
    // An exchange that was not watched is listed only if there is something to say about it.
    if (record.notes === null && severityOf(record) === 'ok') this.#unlisted += 1;
    else this.ring.done(record);
    this.feed.changed();
  }

  closed(closed: ExchangeClosed): void {
    this.ring.closed(closed);
    this.feed.changed();
  }

  /**
   * The next exchange on this connection repeats the exchange `of`.
   *
   * @returns a function that stops expecting it
   */
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
}

/** Connections over a unix socket have no port: there, method and URL identify the replay. */
export type ReplayOrigin = Pick<ExchangeBegun, 'clientPort' | 'method' | 'url'>;

function replayKey({ clientPort, method, url }: ReplayOrigin): string {
  return clientPort === null ? `${method} ${url}` : String(clientPort);
}

type Counted = Pick<
  SummaryView,
  'exchanges' | 'outcomes' | 'saved' | 'cut_by_upstream' | 'request_bytes' | 'bytes'
>;

export class Tally {
  readonly #outcomes: Record<Outcome, number> = {
    delivered: 0,
    relayed: 0,
    upgraded: 0,
    refused: 0,
    cut: 0,
    abandoned: 0,
  };
  readonly #saved = { retried: 0, waited: 0, withheld: 0 };
  readonly #upstream = {
    answers: 0,
    keeps_alive: 0,
    closes: 0,
    http_1_0: 0,
    cut: 0,
    resets: 0,
    resets_with_unread_body: 0,
    refused_connections: 0,
  };
  #exchanges = 0;
  #requestBytes = 0;
  #bytes = 0;

  add(record: ExchangeRecord): void {
    const { outcome, attempts, requestBodyBytes, responseBytes } = record;
    this.#exchanges += 1;
    this.#outcomes[outcome] += 1;
    this.#requestBytes += requestBodyBytes;
    this.#bytes += responseBytes;
    for (const attempt of attempts) this.#addAttempt(attempt);
    const saved = savedBy(record);
    if (saved !== null) this.#saved[saved] += 1;
  }

  counted(): Counted {
    return {
      exchanges: this.#exchanges,
      outcomes: { ...this.#outcomes },
      saved: { ...this.#saved },
      cut_by_upstream: this.#upstream.cut,
      request_bytes: this.#requestBytes,
      bytes: this.#bytes,
    };
  }

  profile(): UpstreamProfile {
    return { ...this.#upstream, sentences: profileSentences(this.#upstream) };
  }

  #addAttempt({ verdict, evidence }: AttemptRecord): void {
    const upstream = this.#upstream;
    const { head, framing, ending, requestBody } = evidence;
    if (ending.kind === 'connect-failed') upstream.refused_connections += 1;
    if (verdict === 'truncated') upstream.cut += 1;
    // A reset of an idle connection that is reused says nothing about how the upstream closes.
    if (ending.kind === 'rst' && !evidence.reusedConnection) {
      upstream.resets += 1;
      if (requestBody === 'partly' || requestBody === 'whole') upstream.resets_with_unread_body += 1;
    }
    if (head === null || framing === null) return;
    upstream.answers += 1;
    if (head.minor === 0) upstream.http_1_0 += 1;
    if (keepsAlive(head, framing)) upstream.keeps_alive += 1;
    else upstream.closes += 1;
  }
}

/** The profile in words. */
export function profileSentences(counts: Omit<UpstreamProfile, 'sentences'>): string[] {
  const { answers, closes, http_1_0, resets_with_unread_body, resets, cut, refused_connections } = counts;
  const sentences: string[] = [];
  if (answers > 0) {
    if (closes === 0) sentences.push('It keeps its connections alive.');
    else if (closes === answers) sentences.push('It closes the connection after each response.');
    else sentences.push(`It closes the connection after ${share(closes, answers)} of its responses.`);
    if (http_1_0 > 0) sentences.push(`It answers with HTTP/1.0 (${share(http_1_0, answers)}).`);
  }
  if (resets_with_unread_body > 0) {
    sentences.push(
      `It reset ${count(resets_with_unread_body, 'connection')} after a request body was sent: it probably closes with the ` +
        'body unread. Withholding the body (--withhold-body) is what cures that.',
    );
  } else if (resets > 0) sentences.push(`It reset ${count(resets, 'connection')}.`);
  if (cut > 0) sentences.push(`It cut ${count(cut, 'answer')}.`);
  if (refused_connections > 0) {
    sentences.push(
      `It took no connection ${count(refused_connections, 'time')}: not running, or restarting.`,
    );
  }
  return sentences;
}

function share(part: number, all: number): string {
  const percent = Math.round((part / all) * 100);
  return percent === 0 ? 'less than 1 %' : `${percent} %`;
}
