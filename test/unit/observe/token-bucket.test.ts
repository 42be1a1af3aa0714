/** How many things may happen, at once and in the long run. */

import { expect, test } from 'vitest';
import { TokenBucket } from '../../../src/server/event-publisher.ts';

test('a burst passes, then as many as a second allows', () => {
  let nowMs = 0;
  const bucket = new TokenBucket({ perSecond: 10, atOnce: 3 }, () => nowMs);
  const taken = (): number => [1, 2, 3, 4, 5].filter(() => bucket.take()).length;
  expect(taken()).toBe(3);
  nowMs += 250;
  expect(taken()).toBe(2);
  nowMs += 50;
  expect(taken()).toBe(1);
  nowMs += 60_000;
  expect(taken()).toBe(3);
});
