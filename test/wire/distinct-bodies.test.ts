// Bodies of one exchange never hold another's bytes, however large a pool Node shares among its small buffers.

import { afterEach, describe, expect, test } from 'vitest';
import { halfByHalf, wrongBodies } from '../harness/distinct-bodies.ts';
import { TestProxy } from '../harness/proxy.ts';
import { Upstream } from '../harness/upstream.ts';

const KIB = 1024;
const NODES_OWN = Buffer.poolSize;

afterEach(() => {
  Buffer.poolSize = NODES_OWN;
});

// Node up to 22 shares 8 KiB, from 24.21 on 64 KiB, from 26.12 on with 64 bytes more after them.
const POOL_SIZES = [NODES_OWN, 16 * KIB, 64 * KIB - 64, 64 * KIB, 1024 * KIB];

describe.each(POOL_SIZES)("with %i bytes in Node's shared pool", (poolSize) => {
  test.each(['GET', 'POST'] as const)(
    'each body is its own, small ones before large ones (%s)',
    async (method) => {
      Buffer.poolSize = poolSize;
      await using upstream = await Upstream.start(halfByHalf());
      await using proxy = await TestProxy.start(upstream.url, { withholdBody: 'off' });
      expect(await wrongBodies(proxy.port, method)).toEqual([]);
    },
  );
});
