import { expect, test } from 'vitest';
import { ConnectionPool } from '../../../src/upstream/pool.ts';

const LIMITS = { upstreamIdleTimeoutMs: 1000, maxIdleConnections: 1 };
/** As a delayed ACK. */
const LAG_MS = 40;

test('what was under way when connections began to rest does not speak against their rest', () => {
  const pool = new ConnectionPool(LIMITS);
  expect(pool.restMs).toBe(0);
  for (let answers = 0; answers < 32; answers += 1) pool.lagged(LAG_MS, 0);
  expect(pool.restMs).toBe(50);
  for (let answers = 0; answers < 7; answers += 1) pool.lagged(LAG_MS, 50);
  expect(pool.restMs).toBe(50);
  pool.lagged(LAG_MS, 50);
  expect(pool.restMs).toBe(Infinity);
});

test('a single lag, or one between answers without, is a slow view', () => {
  const pool = new ConnectionPool(LIMITS);
  for (const ms of [LAG_MS, 1, LAG_MS, 29, LAG_MS, 0]) pool.lagged(ms, 0);
  expect(pool.restMs).toBe(0);
});
