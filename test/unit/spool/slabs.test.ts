import { describe, expect, test } from 'vitest';
import { slabBytes, Slabs, slabsBytes } from '../../../src/spool/slabs.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

describe('the size of a slab', () => {
  test.each([
    [1, 1],
    [8 * KIB, 8 * KIB],
    [8 * KIB + 1, 16 * KIB],
    [16 * KIB, 16 * KIB],
    [16 * KIB + 1, 32 * KIB],
    [50_000, 64 * KIB],
    [MIB, MIB],
    [10 * MIB, MIB],
  ])('for %i octets is %i', (bytes, size) => {
    expect(slabBytes(bytes)).toBe(size);
  });

  test.each([
    [0, 0],
    [1000, 1000],
    [50_000, 64 * KIB],
    [MIB, MIB],
    [MIB + 1, MIB + 1],
    [10 * MIB + 50_000, 10 * MIB + 64 * KIB],
  ])('a body of %i octets takes %i in all', (bytes, sum) => {
    expect(slabsBytes(bytes)).toBe(sum);
  });
});

describe('slabs', () => {
  test('what was given back is used again, whole, also if a part of it was given', () => {
    const slabs = new Slabs(32 * MIB);
    const first = slabs.take(64 * KIB);
    slabs.give(first.subarray(0, 100));
    expect(slabs.idleBytes).toBe(64 * KIB);
    const second = slabs.take(64 * KIB);
    expect(second.buffer).toBe(first.buffer);
    expect(second.length).toBe(64 * KIB);
    expect(slabs.idleBytes).toBe(0);
  });

  test('no two users have the same one', () => {
    const slabs = new Slabs(32 * MIB);
    const users = Array.from({ length: 10 }, () => slabs.take(MIB));
    for (const slab of users.slice(5)) slabs.give(slab);
    const more = Array.from({ length: 10 }, () => slabs.take(MIB));
    const used = [...users.slice(0, 5), ...more].map(({ buffer }) => buffer);
    expect(new Set(used).size).toBe(used.length);
  });

  test('small buffers, which may share their memory, and odd sizes are not kept', () => {
    const slabs = new Slabs(32 * MIB);
    for (const bytes of [1, 1000, 5000, 100_000]) slabs.give(slabs.take(bytes));
    expect(slabs.idleBytes).toBe(0);
  });

  test('no more is kept idle than may be', () => {
    const slabs = new Slabs(3 * MIB);
    const users = Array.from({ length: 5 }, () => slabs.take(MIB));
    for (const slab of users) slabs.give(slab);
    expect(slabs.idleBytes).toBe(3 * MIB);
  });

  test('what nobody needed for ten seconds is let go, and what was needed is kept', () => {
    const slabs = new Slabs(32 * MIB);
    const users = Array.from({ length: 5 }, () => slabs.take(MIB));
    for (const slab of users) slabs.give(slab, 0);
    const needed = [slabs.take(MIB), slabs.take(MIB)];
    for (const slab of needed) slabs.give(slab, 20_000);
    expect(slabs.idleBytes, 'three were never needed, but that is known only for the time since').toBe(
      5 * MIB,
    );
    slabs.give(slabs.take(MIB), 40_000);
    expect(slabs.idleBytes).toBe(MIB);
  });
});
