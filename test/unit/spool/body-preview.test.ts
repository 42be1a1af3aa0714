/** What is kept of a body on its way: its beginning, in one buffer. */

import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { PreviewRoom, PreviewWriter, Previews } from '../../../src/spool/body-preview.ts';

const room = (bytes = Infinity): PreviewRoom => new PreviewRoom(bytes);

test('is the beginning of the body, however it came', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 30_000 }), { maxLength: 8 }), (parts) => {
      const preview = new PreviewWriter(room());
      const body = Buffer.concat(parts);
      for (const part of parts) {
        const reused = Buffer.from(part);
        preview.copy(reused);
        reused.fill(0xff);
      }
      expect(preview.content()).toEqual(body.subarray(0, 65_536));
      expect([preview.bytes, preview.keptBytes]).toEqual([body.length, Math.min(body.length, 65_536)]);
      expect(preview.heldBytes).toBeLessThanOrEqual(65_536);
    }),
    { numRuns: 50 },
  );
});

test('that came in single bytes holds one buffer of its size, not one for each', () => {
  const preview = new PreviewWriter(room());
  const byte = Buffer.from('x');
  for (let at = 0; at < 100_000; at += 1) preview.copy(byte);
  expect([preview.bytes, preview.keptBytes, preview.heldBytes]).toEqual([100_000, 65_536, 65_536]);
  expect(preview.content().buffer.byteLength).toBe(65_536);
});

test('ends where all previews together have no more room, and never goes on after a gap', () => {
  const shared = room(100);
  const first = new Previews(shared);
  const [one, other] = [first.begin(), new PreviewWriter(shared)];
  one.copy(Buffer.alloc(80));
  other.copy(Buffer.alloc(30));
  other.copy(Buffer.alloc(5));
  expect([one.keptBytes, other.keptBytes, other.bytes]).toEqual([80, 0, 35]);
  first.release();
  first.release();
  other.copy(Buffer.alloc(5));
  expect([other.keptBytes, other.bytes, one.keptBytes]).toEqual([0, 40, 80]);
  expect([shared.take(101), shared.take(100)]).toEqual([false, true]);
});

test('keeps nothing of what comes after the exchange is over, such as the rest of a refused body', () => {
  const shared = room(100);
  const previews = new Previews(shared);
  const preview = previews.begin();
  preview.copy(Buffer.alloc(10));
  previews.release();
  preview.copy(Buffer.alloc(50));
  expect([preview.keptBytes, preview.heldBytes, preview.bytes]).toEqual([10, 10, 60]);
  expect(shared.take(100)).toBe(true);
});
