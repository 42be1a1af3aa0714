/** What is listed when more comes than anybody can look at. */

import { expect, test } from 'vitest';
import { resolveOptions } from '../../../../src/config/resolve.ts';
import { Inspector } from '../../../../src/observe/inspector/inspector.ts';
import { DELIVERED, REFUSED, RETRIED } from '../records.ts';

test('what was not looked at is counted if it went well, and listed if it did not', () => {
  const now = {
    running: 0,
    connections: 0,
    lingering: 0,
    waiting: 0,
    spool_memory_bytes: 0,
    spool_disk_bytes: 0,
  };
  const inspected = {
    settings: resolveOptions({}),
    url: 'http://a',
    load: () => now,
    watchAll: () => undefined,
    failed: () => undefined,
  };
  const inspector = new Inspector(inspected, '1');
  const records = [DELIVERED, REFUSED, RETRIED, DELIVERED].map((record, at) => ({
    ...record,
    id: String(at),
    notes: null,
  }));
  for (const record of records) inspector.done(record);
  expect(inspector.ring.newest().map(({ begun }) => begun.id)).toEqual(['2', '1']);
  expect(inspector.summary()).toMatchObject({
    exchanges: 4,
    unlisted: 2,
    outcomes: { delivered: 3, refused: 1 },
  });
});
