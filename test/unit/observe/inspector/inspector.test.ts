/** What is listed when more comes than anybody can look at. */

import { expect, test } from 'vitest';
import { resolveOptions } from '../../../../src/config/library.ts';
import { Allowance } from '../../../../src/observe/allowance.ts';
import { Inspector } from '../../../../src/observe/inspector/inspector.ts';
import { DELIVERED, REFUSED, RETRIED } from '../records.ts';

test('under load what went well is counted, and what did not is listed', () => {
  const now = { connections: 0, lingering: 0, waiting: 0, spool_memory_bytes: 0, spool_disk_bytes: 0 };
  const inspected = { settings: resolveOptions({}), url: 'http://a', now: () => now };
  const inspector = new Inspector(inspected, '1', new Allowance({ perSecond: 1, atOnce: 2 }, () => 0));
  const records = [DELIVERED, DELIVERED, DELIVERED, REFUSED, RETRIED, DELIVERED];
  records.forEach((record, at) => {
    const id = String(at);
    inspector.begun({ ...record, id, clientPort: 1 });
    inspector.done({ ...record, id });
  });
  expect(inspector.ring.newest().map(({ begun }) => begun.id)).toEqual(['4', '3', '1', '0']);
  expect(inspector.summary()).toMatchObject({
    exchanges: 6,
    unlisted: 2,
    outcomes: { delivered: 5, refused: 1 },
  });
});
