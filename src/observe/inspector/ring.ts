/** The newest exchanges, including those in progress, with a limit on their number and their memory. */

import type { ExchangeBegun, ExchangeClosed, ExchangeRecord } from '../../exchange/events.ts';
import type { Fields } from '../../http/fields.ts';
import type { Row } from './types.ts';
import { rowOf } from './views.ts';

/** One exchange, as it is kept. */
export interface Entry {
  readonly number: number;
  readonly begun: ExchangeBegun;
  readonly replayOf: string | null;
  revision: number;
  /** Null while it runs. */
  record: ExchangeRecord | null;
  closed: ExchangeClosed | null;
  /** Memory of its body previews. */
  heldBytes: number;
  /** Memory of the rest, estimated. */
  recordBytes: number;
  row: Row | null;
}

interface RingLimits {
  /** Of finished exchanges, and also of those in progress. */
  readonly maxExchanges: number;
  /** Memory for bodies: above it, the oldest exchanges lose theirs. */
  readonly maxBodyBytes: number;
  /** Memory for everything else: above it, the oldest exchanges are evicted. */
  readonly maxRecordBytes: number;
}

const LIMITS: RingLimits = {
  maxExchanges: 500,
  maxBodyBytes: 16 * 1024 * 1024,
  maxRecordBytes: 16 * 1024 * 1024,
};

export class Ring {
  readonly #limits: RingLimits;
  readonly #running = new Map<string, Entry>();
  readonly #done = new Map<string, Entry>();
  /** A circular buffer of the finished ones in the order of their ends: finding the first key of a Map is slow. */
  readonly #slots: (Entry | undefined)[];
  #ended = 0;
  /** The number of the oldest finished one that may hold bodies. */
  #firstHolder = 0;
  #heldBytes = 0;
  /** The number of the oldest finished one that is kept. */
  #oldest = 0;
  #recordBytes = 0;
  #numbers = 0;
  #revision = 0;
  /** Called for each evicted entry. */
  onEvicted: ((entry: Entry) => void) | null = null;

  constructor(limits: RingLimits = LIMITS) {
    this.#limits = limits;
    this.#slots = Array.from({ length: limits.maxExchanges }, () => undefined);
  }

  get revision(): number {
    return this.#revision;
  }

  get number(): number {
    return this.#numbers;
  }

  begun(begun: ExchangeBegun, replayOf: string | null): void {
    this.#running.set(begun.id, this.#entry(begun, replayOf));
    if (this.#running.size > this.#limits.maxExchanges) this.#evictRunning();
  }

  done(record: ExchangeRecord): void {
    // What never became a request has no `begun` event.
    const entry = this.#running.get(record.id) ?? this.#entry({ ...record, clientPort: null }, null);
    this.#running.delete(record.id);
    if (this.#ended - this.#oldest === this.#slots.length) this.#evictOldest();
    this.#slots[this.#ended % this.#slots.length] = entry;
    this.#ended += 1;
    this.#done.set(record.id, entry);
    this.#change(entry);
    entry.record = record;
    this.#hold(entry, record);
  }

  closed(closed: ExchangeClosed): void {
    const entry = this.find(closed.id);
    if (entry === null) return;
    entry.closed = closed;
    this.#change(entry);
  }

  find(id: string): Entry | null {
    return this.#done.get(id) ?? this.#running.get(id) ?? null;
  }

  /** Newest first. */
  newest(): Entry[] {
    return [...this.#running.values(), ...this.#done.values()].sort((a, b) => b.number - a.number);
  }

  /** What changed after this revision, in the order of the changes. */
  changedSince(revision: number): Entry[] {
    return [...this.#running.values(), ...this.#done.values()]
      .filter((entry) => entry.revision > revision)
      .sort((a, b) => a.revision - b.revision);
  }

  row(entry: Entry): Row {
    return (entry.row ??= rowOf(entry));
  }

  #entry(begun: ExchangeBegun, replayOf: string | null): Entry {
    this.#numbers += 1;
    this.#revision += 1;
    return {
      number: this.#numbers,
      begun,
      replayOf,
      revision: this.#revision,
      record: null,
      closed: null,
      heldBytes: 0,
      recordBytes: 0,
      row: null,
    };
  }

  #change(entry: Entry): void {
    this.#revision += 1;
    entry.revision = this.#revision;
    entry.row = null;
  }

  #hold(entry: Entry, record: ExchangeRecord): void {
    entry.heldBytes = bodyBytes(record);
    entry.recordBytes = recordBytes(record);
    this.#heldBytes += entry.heldBytes;
    this.#recordBytes += entry.recordBytes;
    while (this.#heldBytes > this.#limits.maxBodyBytes) {
      const oldest = this.#slots[this.#firstHolder % this.#slots.length];
      this.#firstHolder += 1;
      if (oldest !== undefined && oldest.heldBytes > 0) this.#release(oldest);
    }
    while (this.#recordBytes > this.#limits.maxRecordBytes) this.#evictOldest();
  }

  #release(entry: Entry): void {
    this.#heldBytes -= entry.heldBytes;
    entry.heldBytes = 0;
    if (entry.record !== null) entry.record = withoutBodies(entry.record);
  }

  #evictOldest(): void {
    const at = this.#oldest % this.#slots.length;
    const entry = this.#slots[at];
    this.#oldest += 1;
    this.#firstHolder = Math.max(this.#firstHolder, this.#oldest);
    if (entry === undefined) return;
    this.#slots[at] = undefined;
    this.#done.delete(entry.begun.id);
    this.#heldBytes -= entry.heldBytes;
    this.#recordBytes -= entry.recordBytes;
    this.onEvicted?.(entry);
  }

  /** Rare: that many are in progress at once. */
  #evictRunning(): void {
    for (const [id, entry] of this.#running) {
      this.#running.delete(id);
      this.onEvicted?.(entry);
      return;
    }
  }
}

function bodyBytes({ notes, attempts }: ExchangeRecord): number {
  let bytes = (notes?.requestBody?.heldBytes ?? 0) + (notes?.answerBody?.heldBytes ?? 0);
  for (const attempt of attempts) bytes += attempt.notes?.body?.heldBytes ?? 0;
  return bytes;
}

/** Memory of the objects of an exchange, and of an attempt, without their strings; measured, rounded up. */
const OBJECTS_BYTES = 2048;
/** Overhead of a string in V8: header, padding, reference. */
const TEXT_BYTES = 40;

/** Without the bodies. A head with many small fields takes ten times its size on the wire. */
function recordBytes({ url, sentence, requestFields, notes, attempts }: ExchangeRecord): number {
  let bytes = OBJECTS_BYTES + 2 * url.length + (sentence?.length ?? 0);
  bytes += fieldsBytes(requestFields) + fieldsBytes(notes?.responseFields ?? []);
  for (const { evidence } of attempts) bytes += OBJECTS_BYTES + fieldsBytes(evidence.head?.fields ?? []);
  return bytes;
}

function fieldsBytes(fields: Fields): number {
  return fields.reduce((bytes, text) => bytes + TEXT_BYTES + text.length, 0);
}

/** A copy, because others may use the record, too. */
function withoutBodies(record: ExchangeRecord): ExchangeRecord {
  return {
    ...record,
    notes: record.notes === null ? null : { ...record.notes, requestBody: null, answerBody: null },
    attempts: record.attempts.map((attempt) =>
      attempt.notes === null ? attempt : { ...attempt, notes: { ...attempt.notes, body: null } },
    ),
  };
}
