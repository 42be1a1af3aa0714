/** Any valid response in any packets is the same response to the client; and any cut of it is never taken for it. */

import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { anyPlace, anyPlaces, anyResponse, lengthUpTo, packetsOf } from '../harness/any-response.ts';
import type { AnyResponse, FramingName } from '../harness/any-response.ts';
import { Client, valueOf } from '../harness/client.ts';
import type { RawResponse } from '../harness/client.ts';
import { TestProxy } from '../harness/proxy.ts';
import { Upstream, ok } from '../harness/upstream.ts';
import type { UpstreamConnection } from '../harness/upstream.ts';

const FRAMINGS: readonly FramingName[] = ['a length', 'chunks', 'until close', 'HEAD', '204', '304'];
/** A run that hangs, or a long search for the smallest failure, still ends with its seed. */
const LIMITS = { numRuns: 60, timeout: 5000, interruptAfterTimeLimit: 25_000 } as const;

/** What the upstream does at one target. */
interface Plan {
  readonly packets: readonly string[];
  readonly ending: 'stay' | 'fin' | 'rst';
  seen: number;
}

const plans = new Map<string, Plan>();

async function script(connection: UpstreamConnection): Promise<void> {
  for (;;) {
    const request = await connection.request();
    if (request === null) return connection.fin();
    if (request.method === 'POST') await connection.body(3);
    const plan = plans.get(request.target);
    if (plan === undefined) {
      await connection.send(ok('fine'));
      continue;
    }
    plan.seen += 1;
    for (const packet of plan.packets) {
      connection.socket.write(packet, 'latin1');
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (plan.ending === 'rst') return connection.reset();
    if (plan.ending === 'fin') return connection.fin();
  }
}

let upstream: Upstream;
let proxy: TestProxy;
beforeAll(async () => {
  upstream = await Upstream.start(script);
  proxy = await TestProxy.start(upstream.url, { bodyHold: 1, bodyHoldMax: 1 });
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

interface Answered {
  readonly interims: readonly number[];
  readonly final: RawResponse;
  /** How often the upstream was asked. */
  readonly seen: number;
}

/** Asks an upstream that does as planned, and then whether the connection still serves. */
async function askFor(method: string, packets: readonly string[], ending: Plan['ending']): Promise<Answered> {
  const target = `/plan/${plans.size}`;
  const plan: Plan = { packets, ending, seen: 0 };
  plans.set(target, plan);
  using client = await Client.connect(proxy.port);
  const body = method === 'POST' ? 'Content-Length: 3\r\n\r\nabc' : '\r\n';
  await client.send(`${method} ${target} HTTP/1.1\r\nHost: x\r\n${body}`);
  const interims: number[] = [];
  let final = await client.response(method);
  for (; final.status < 200; final = await client.response(method)) interims.push(final.status);
  await client.send('GET /fine HTTP/1.1\r\nHost: x\r\n\r\n');
  expect((await client.response()).body.toString()).toBe('fine');
  expect(client.left.length).toBe(0);
  return { interims, final, seen: plan.seen };
}

/** What belongs to the client's own connection, says the length in our way, or is added (RFC 9110 section 6.6.1). */
const OURS = new Set(['connection', 'keep-alive', 'content-length', 'date', 'proxy-status']);

function expectSame(final: RawResponse, response: AnyResponse): void {
  const fields = final.fields.filter((_part, index) => !OURS.has(nameAt(final.fields, index)));
  expect({ ...final, fields, body: final.body.toString('latin1') }).toEqual({
    status: response.status,
    reason: response.reason,
    fields: response.fields,
    body: response.body,
  });
}

/** The name of the field that the part at `index` belongs to. */
function nameAt(fields: readonly string[], index: number): string {
  return (fields[index - (index % 2)] ?? '').toLowerCase();
}

function expectRefused(final: RawResponse): void {
  expect(final.status).toBe(502);
  expect(valueOf(final.fields, 'proxy-status')).toMatch(/^lastbyte; error=/);
}

/** A part that is not the whole, and that nothing in it or about it gives away. */
function isUnverifiable({ framing, headEnd }: AnyResponse, length: number, ending: 'fin' | 'rst'): boolean {
  return framing === 'until close' && ending === 'fin' && length >= headEnd;
}

describe.each(FRAMINGS)('a response with framing by %s', (framing) => {
  const ending = framing === 'until close' ? 'fin' : 'stay';

  test('is the same to the client however it is split', async () => {
    await fc.assert(
      fc.asyncProperty(anyResponse(framing), anyPlaces, async (response, places) => {
        const answered = await askFor(response.method, packetsOf(response.text, places), ending);
        expectSame(answered.final, response);
        expect(answered.interims).toEqual(response.interims);
      }),
      LIMITS,
    );
  });

  test('is the same to the client in packets of one byte', async () => {
    await fc.assert(
      fc.asyncProperty(anyResponse(framing), async (response) => {
        const answered = await askFor(response.method, response.text.split(''), ending);
        expectSame(answered.final, response);
      }),
      { ...LIMITS, numRuns: 5 },
    );
  });

  if (framing !== 'until close') {
    test('hides what comes after it from the client', async () => {
      await fc.assert(
        fc.asyncProperty(
          anyResponse(framing),
          anyResponse('a length'),
          anyPlaces,
          async (response, after, places) => {
            const packets = packetsOf(response.text + after.text, places);
            const answered = await askFor(response.method, packets, 'stay');
            expectSame(answered.final, response);
            expect(answered.seen).toBe(1);
          },
        ),
        LIMITS,
      );
    });
  }

  test.each(['fin', 'rst'] as const)('cut by %s at any place is never taken for the whole', async (end) => {
    const method = framing === 'HEAD' ? fc.constant('HEAD') : fc.constantFrom('GET', 'POST');
    await fc.assert(
      fc.asyncProperty(
        anyResponse(framing),
        method,
        anyPlace,
        anyPlaces,
        async (response, how, place, places) => {
          const length = lengthUpTo(place, response.text);
          const part = response.text.slice(0, length);
          const { final, seen } = await askFor(how, packetsOf(part, places), end);
          // Before the first byte it may be known that the request was never taken up: see restart.test.ts.
          if (how === 'POST' && length > 0) expect(seen).toBe(1);
          if (isUnverifiable(response, length, end)) {
            expectSame(final, { ...response, body: part.slice(response.headEnd) });
          } else {
            expectRefused(final);
          }
        },
      ),
      LIMITS,
    );
  });

  test('reset after its last byte is whole, or refused where only the end of the connection could say so', async () => {
    await fc.assert(
      fc.asyncProperty(anyResponse(framing), anyPlaces, async (response, places) => {
        const { final } = await askFor(response.method, packetsOf(response.text, places), 'rst');
        if (framing === 'until close') expectRefused(final);
        else expectSame(final, response);
      }),
      LIMITS,
    );
  });
});
