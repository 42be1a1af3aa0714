/** The ring: bounded in exchanges and in bytes, whatever comes and in whatever order. */

import { describe, expect, test } from 'vitest';
import type { ExchangeBegun, ExchangeNotes, ExchangeRecord } from '../../../../src/exchange/events.ts';
import { Ring } from '../../../../src/observe/inspector/ring.ts';
import type { Entry } from '../../../../src/observe/inspector/ring.ts';
import { PreviewRoom, PreviewWriter } from '../../../../src/spool/body-preview.ts';
import { DELIVERED } from '../records.ts';

const LIMITS = { maxExchanges: 3, maxBodyBytes: 100, maxRecordBytes: 100_000 };

const begun = (id: string): ExchangeBegun => ({ ...DELIVERED, id, clientPort: 1 });
const record = (id: string, bodyBytes = 0): ExchangeRecord => ({ ...DELIVERED, id, notes: notes(bodyBytes) });

function notes(bodyBytes: number): ExchangeNotes {
  const requestBody = new PreviewWriter(new PreviewRoom(Infinity));
  requestBody.copy(Buffer.alloc(bodyBytes));
  return {
    requestWholeMs: 0,
    waits: [],
    deliveryMs: 1,
    writtenMs: 2,
    keptAlive: false,
    requestBody,
    responseReason: 'OK',
    responseFields: [],
    answerBody: null,
  };
}

const ids = (entries: readonly Entry[]): string[] => entries.map((entry) => entry.begun.id);

test('keeps the newest that are over, and says which left', () => {
  const ring = new Ring(LIMITS);
  const left: string[] = [];
  ring.onEvicted = (entry) => left.push(entry.begun.id);
  for (const id of ['a', 'b', 'c', 'd', 'e']) {
    ring.begun(begun(id), null);
    ring.done(record(id));
  }
  expect(ids(ring.newest())).toEqual(['e', 'd', 'c']);
  expect(left).toEqual(['a', 'b']);
  expect(ring.find('a')).toBeNull();
});

test('keeps those under way beside them, up to as many again', () => {
  const ring = new Ring(LIMITS);
  for (const id of ['a', 'b', 'c', 'd']) ring.begun(begun(id), null);
  ring.done(record('b'));
  expect(ids(ring.newest())).toEqual(['d', 'c', 'b']);
  // The first had to go while it ran: its end is news again.
  ring.done(record('a'));
  expect(ids(ring.newest())).toEqual(['a', 'd', 'c', 'b']);
});

describe('bodies', () => {
  test('the oldest lose theirs when all together are too large, and nobody else does', () => {
    const ring = new Ring(LIMITS);
    const first = record('a', 60);
    ring.done(first);
    ring.done(record('b', 30));
    ring.done(record('c', 30));
    const kept = ring.newest().map((entry) => entry.record?.notes?.requestBody?.bytes ?? null);
    expect(kept).toEqual([30, 30, null]);
    // Others may hold the same record.
    expect(first.notes?.requestBody?.bytes).toBe(60);
  });

  test('the room of what leaves the ring is free again', () => {
    const ring = new Ring({ ...LIMITS, maxExchanges: 1 });
    for (let round = 0; round < 50; round += 1) ring.done(record(String(round), 90));
    expect(ring.newest().map((entry) => entry.heldBytes)).toEqual([90]);
  });

  test('one that is too large alone is not kept', () => {
    const ring = new Ring(LIMITS);
    ring.done(record('a', 101));
    expect(ring.find('a')?.record?.notes?.requestBody).toBeNull();
  });
});

test('what is large beside its bodies, such as its fields, makes the oldest leave', () => {
  const ring = new Ring(LIMITS);
  const left: string[] = [];
  ring.onEvicted = (entry) => left.push(entry.begun.id);
  const large = Array.from({ length: 400 }, () => 'x'.repeat(100));
  for (const id of ['a', 'b', 'c']) {
    ring.begun({ ...begun(id), requestFields: large }, null);
    ring.done({ ...record(id), requestFields: large });
  }
  expect([ids(ring.newest()), left]).toEqual([['c'], ['a', 'b']]);
  ring.done(record('d'));
  expect(ids(ring.newest())).toEqual(['d', 'c']);
  // An attempt's head counts, however small each of its fields is.
  const fields = Array.from({ length: 4000 }, () => 'x');
  const attempts = DELIVERED.attempts.map((attempt) => ({
    ...attempt,
    evidence: { ...attempt.evidence, head: { minor: 1 as const, status: 200, reason: '', fields } },
  }));
  ring.done({ ...record('e'), attempts });
  expect(ids(ring.newest())).toEqual([]);
  ring.done(record('f'));
  expect([ids(ring.newest()), left]).toEqual([['f'], ['a', 'b', 'c', 'd', 'e']]);
});

test('every change has a higher revision, and only what changed is told', () => {
  const ring = new Ring(LIMITS);
  ring.begun(begun('a'), null);
  ring.begun(begun('b'), null);
  const { revision } = ring;
  ring.done(record('a'));
  expect(ids(ring.changedSince(revision))).toEqual(['a']);
  ring.closed({ id: 'b', clientFinMs: null, ourFinMs: null, closedMs: 5, reset: true });
  expect(ids(ring.changedSince(revision))).toEqual(['a', 'b']);
  expect(ids(ring.changedSince(0))).toEqual(['a', 'b']);
  ring.closed({ id: 'unknown', clientFinMs: null, ourFinMs: null, closedMs: 5, reset: true });
  expect(ring.changedSince(ring.revision)).toEqual([]);
});

test('a row is made once for each change', () => {
  const ring = new Ring(LIMITS);
  ring.begun(begun('a'), null);
  const entry = ring.find('a');
  if (entry === null) throw new Error('it is not there');
  const running = ring.row(entry);
  expect(ring.row(entry)).toBe(running);
  ring.done(record('a'));
  expect([running.state, ring.row(entry).state]).toEqual(['running', 'done']);
});
