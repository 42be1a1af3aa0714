import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { allBuffersBytes, bufferBytes, BufferPool } from '../../../src/spool/buffer-pool.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

describe('the size of a buffer', () => {
  test.each([
    [1, KIB],
    [1000, KIB],
    [KIB + 1, 2 * KIB],
    [8 * KIB, 8 * KIB],
    [8 * KIB + 1, 16 * KIB],
    [16 * KIB, 16 * KIB],
    [16 * KIB + 1, 32 * KIB],
    [50_000, 64 * KIB],
    [MIB, MIB],
    [10 * MIB, MIB],
  ])('for %i bytes is %i', (bytes, size) => {
    expect(bufferBytes(bytes)).toBe(size);
  });

  test.each([
    [0, 0],
    [1000, KIB],
    [50_000, 64 * KIB],
    [MIB, MIB],
    [MIB + 1, MIB + KIB],
    [10 * MIB + 50_000, 10 * MIB + 64 * KIB],
  ])('a body of %i bytes takes %i in all', (bytes, sum) => {
    expect(allBuffersBytes(bytes)).toBe(sum);
  });
});

describe('a buffer pool', () => {
  test('what was released is lent again, whole', () => {
    const pool = new BufferPool(32 * MIB);
    const first = pool.take(64 * KIB);
    first.release();
    expect(pool.idleBytes).toBe(64 * KIB);
    const second = pool.take(64 * KIB);
    expect(second.memory.buffer).toBe(first.memory.buffer);
    expect(second.memory.length).toBe(64 * KIB);
    expect(pool.idleBytes).toBe(0);
  });

  test('no two users have the same one', () => {
    const pool = new BufferPool(32 * MIB);
    const users = Array.from({ length: 10 }, () => pool.take(MIB));
    for (const user of users.slice(5)) user.release();
    const more = Array.from({ length: 10 }, () => pool.take(MIB));
    const used = [...users.slice(0, 5), ...more].map(({ memory }) => memory.buffer);
    expect(new Set(used).size).toBe(used.length);
  });

  test('what is released twice, even after it was lent again, is lent to one user only', () => {
    const pool = new BufferPool(32 * MIB);
    const first = pool.take(MIB);
    first.release();
    first.release();
    expect(pool.idleBytes).toBe(MIB);
    const second = pool.take(MIB);
    first.release();
    expect(pool.idleBytes).toBe(0);
    expect(pool.take(MIB).memory.buffer).not.toBe(second.memory.buffer);
  });

  describe.each([Buffer.poolSize, 64 * KIB - 64, 64 * KIB])(
    "with %i bytes in Node's shared pool",
    (poolSize) => {
      const nodesOwn = Buffer.poolSize;
      beforeEach(() => {
        Buffer.poolSize = poolSize;
        // The new size counts from the next pool on.
        for (let bytes = 0; bytes < nodesOwn; bytes += 64) Buffer.allocUnsafe(64);
      });
      afterEach(() => {
        Buffer.poolSize = nodesOwn;
      });

      test('all memory is its own: it shares none with others, and no size is larger than was asked for', () => {
        const pool = new BufferPool(32 * MIB);
        const others = [Buffer.allocUnsafe(100).buffer, Buffer.from('text').buffer];
        for (const bytes of [1, 100, 1000, 4000, 5000, 16 * KIB, 50_000, 64 * KIB]) {
          const { memory } = pool.take(bytes);
          expect([memory.byteOffset, memory.length]).toEqual([0, bytes]);
          expect(others).not.toContain(memory.buffer);
        }
      });

      test('odd sizes are not kept', () => {
        const pool = new BufferPool(32 * MIB);
        for (const bytes of [1, 1000, 5000, 100_000]) pool.take(bytes).release();
        expect(pool.idleBytes).toBe(0);
      });
    },
  );

  test('what is lent and what is idle stay within the limit together', () => {
    const pool = new BufferPool(4 * MIB);
    const lent = pool.take(3 * MIB);
    const users = [pool.take(MIB), pool.take(MIB)];
    for (const user of users) user.release();
    expect(pool.idleBytes).toBe(MIB);
    lent.release();
    expect(pool.idleBytes, 'odd sizes are not kept').toBe(MIB);
  });

  test('what is idle in other sizes makes room for a size of which none is idle', () => {
    const pool = new BufferPool(2 * MIB);
    for (const user of [pool.take(MIB), pool.take(MIB)]) user.release();
    pool.take(64 * KIB);
    expect(pool.idleBytes).toBe(MIB);
  });

  test('parts on their way to and from files are large while there is room, and then small', () => {
    const pool = new BufferPool(MIB);
    const parts = Array.from({ length: 6 }, () => pool.takeForFile());
    const sizes = parts.map(({ memory }) => memory.length / KIB);
    expect(sizes).toEqual([256, 256, 256, 256, 64, 64]);
    for (const part of parts) part.release();
    expect(pool.takeForFile().memory.length).toBe(256 * KIB);
  });

  test('no more is kept idle than may be', () => {
    const pool = new BufferPool(3 * MIB);
    const users = Array.from({ length: 5 }, () => pool.take(MIB));
    for (const user of users) user.release();
    expect(pool.idleBytes).toBe(3 * MIB);
  });

  test('what nobody needed for ten seconds is freed, and what was needed is kept', () => {
    let nowMs = 0;
    const pool = new BufferPool(32 * MIB, () => nowMs);
    const users = Array.from({ length: 5 }, () => pool.take(MIB));
    for (const user of users) user.release();
    const needed = [pool.take(MIB), pool.take(MIB)];
    nowMs = 20_000;
    for (const user of needed) user.release();
    expect(pool.idleBytes, 'three were never needed, but that is known only for the time since').toBe(
      5 * MIB,
    );
    nowMs = 40_000;
    pool.take(MIB).release();
    expect(pool.idleBytes).toBe(MIB);
  });
});
