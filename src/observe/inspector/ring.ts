/** The newest exchanges, those under way among them: bounded in number and in the memory that they hold. */

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
  /** Memory that the previews of its bodies take. */
  heldBytes: number;
  /** Memory that the rest of it takes, about. */
  recordBytes: number;
  row: Row | null;
}

interface RingLimits {
  /** Of exchanges that are over, and again of those under way. */
  readonly maxExchanges: number;
  /** Memory for bodies: above it, the oldest lose theirs. */
  readonly maxBodyBytes: number;
  /** Memory for everything else: above it, the oldest leave. */
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
  /** The done ones in the order in which they ended, round and round: a Map finds its first key slowly. */
  readonly #slots: (Entry | undefined)[];
  #ended = 0;
  /** Of those that ended, the first that may hold bodies. */
  #firstHolder = 0;
  #heldBytes = 0;
  /** Of those that ended, the first that has not left. */
  #oldest = 0;
  #recordBytes = 0;
  #numbers = 0;
  #revision = 0;
  /** Is told what leaves the ring. */
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
    // What never became a request was not begun.
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

  /** What changed after this revision, in the order of its changes. */
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

  /** Rare: so many under way at once. */
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

/** What the objects of an exchange and of an attempt take, without their texts; measured, and rounded up. */
const OBJECTS_BYTES = 2048;
/** A text of any length in V8: its header, its padding, the reference to it. */
const TEXT_BYTES = 40;

/** Without the bodies. A head of many small fields takes ten times what it took on the wire. */
function recordBytes({ url, sentence, requestFields, notes, attempts }: ExchangeRecord): number {
  let bytes = OBJECTS_BYTES + 2 * url.length + (sentence?.length ?? 0);
  bytes += fieldsBytes(requestFields) + fieldsBytes(notes?.responseFields ?? []);
  for (const { evidence } of attempts) bytes += OBJECTS_BYTES + fieldsBytes(evidence.head?.fields ?? []);
  return bytes;
}

function fieldsBytes(fields: Fields): number {
  return fields.reduce((bytes, text) => bytes + TEXT_BYTES + text.length, 0);
}

/** A copy: the record may be in other hands too. */
function withoutBodies(record: ExchangeRecord): ExchangeRecord {
  return {
    ...record,
    notes: record.notes === null ? null : { ...record.notes, requestBody: null, answerBody: null },
    attempts: record.attempts.map((attempt) =>
      attempt.notes === null ? attempt : { ...attempt, notes: { ...attempt.notes, body: null } },
    ),
  };
}
