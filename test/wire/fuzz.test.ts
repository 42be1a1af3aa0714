/** The fuzzer for ten seconds; `npm run test:fuzz` runs it for as long as you like, and replays what it finds. */

import { expect, test } from 'vitest';
import { turns } from '../harness/bare.ts';
import { campaign } from '../fuzz/campaign.ts';
import type { Find } from '../fuzz/campaign.ts';
import { plainRequests, plainResponse } from '../fuzz/plain-reading.ts';

const SEED = Number(process.env['LASTBYTE_FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 32));

test(
  `whatever a client or an upstream sends, what must hold holds (seed ${SEED})`,
  { timeout: 90_000 },
  async () => {
    const finds: Find[] = [];
    const { parsed, sent, branches } = await campaign({
      seed: SEED,
      durationMs: 10_000,
      found: (find) => finds.push(find),
    });
    expect(finds).toEqual([]);
    await turns();
    expect(process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP'))).toEqual([]);
    // It did look: at the parsers, over the wire, and at more than the good messages reach.
    expect(Math.min(parsed, sent, branches)).toBeGreaterThan(50);
  },
);

test('the reading that the fuzzer compares with takes no part for the whole', () => {
  const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';
  expect(plainResponse(answer, 'GET', false)).toEqual({ status: 200, body: 'hello' });
  expect(plainResponse(answer.slice(0, -1), 'GET', true)).toBeNull();
  const request = 'POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n';
  expect(plainRequests(request + request)).toHaveLength(2);
  expect(plainRequests(request + request.slice(0, -1))).toHaveLength(1);
  expect(plainRequests(request.replace('\r\n0', 'x\r\n0'))).toEqual([]);
});
