// What Node shares among small buffers, and what it does not.

import { expect, test } from 'vitest';

test('small buffers are parts of one ArrayBuffer, which is larger than they are', () => {
  const [one, other] = [Buffer.allocUnsafe(100), Buffer.allocUnsafe(100)];
  expect(one.buffer).toBe(other.buffer);
  expect(one.buffer.byteLength).toBeGreaterThan(one.length);
});

test('its size is no sign of whose it is: 8 KiB up to Node 22, 64 KiB or a little more later, and it can be set', () => {
  expect(Buffer.poolSize).toBeGreaterThanOrEqual(8 * 1024);
  const { byteLength } = Buffer.allocUnsafe(100).buffer;
  expect(byteLength - Buffer.poolSize).toBeGreaterThanOrEqual(0);
  expect(byteLength - Buffer.poolSize).toBeLessThanOrEqual(64);
});

test('what allocUnsafeSlow returns shares its memory with nobody', () => {
  const buffers = [1, 100, 4096, 65_536].map((bytes) => Buffer.allocUnsafeSlow(bytes));
  expect(buffers.map(({ byteOffset }) => byteOffset)).toEqual([0, 0, 0, 0]);
  expect(new Set(buffers.map(({ buffer }) => buffer)).size).toBe(buffers.length);
});
