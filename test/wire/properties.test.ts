/**
 * Any valid requests, in any packets and any order, are the same requests to the upstream, and their responses the same to
 * the client. What holds of any response is in response-splits.test.ts. `LASTBYTE_RUNS` makes more runs of each.
 */

import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { anyRequest } from '../harness/any-request.ts';
import type { AnyRequest } from '../harness/any-request.ts';
import { anyPlaces, packetsOf } from '../harness/any-response.ts';
import { Client, valueOf } from '../harness/client.ts';
import { TestProxy } from '../harness/proxy.ts';
import { bodyOf, inChunks } from '../harness/random-body.ts';
import { Upstream } from '../harness/upstream.ts';
import type { UpstreamConnection } from '../harness/upstream.ts';

const RUNS = Number(process.env['LASTBYTE_RUNS'] ?? 60);
/** A run that hangs, or a long search for the smallest failure, still ends with its seed. */
const LIMITS = { numRuns: RUNS, timeout: 5000, interruptAfterTimeLimit: 25_000 + RUNS * 100 } as const;
const TIMEOUT_MS = LIMITS.interruptAfterTimeLimit + 5000;

const FRAMINGS = ['length', 'chunks', 'close', 'empty'] as const;
type FramingName = (typeof FRAMINGS)[number];

interface Seen {
  readonly method: string;
  readonly fields: readonly string[];
  readonly body: string | null;
}

/** What the upstream saw at each target, in order. */
const seen = new Map<string, Seen[]>();

/** Answers a target `/<run>/<index>/<framing>` with its own body in that framing. */
async function script(connection: UpstreamConnection): Promise<void> {
  for (let one = await connection.request(); one !== null; one = await connection.request()) {
    const { method, target, fields } = one;
    const length = valueOf(fields, 'content-length');
    const body = await connection.body(Number(length ?? 0));
    if (body === null) break;
    const before = seen.get(target) ?? [];
    seen.set(target, [
      ...before,
      { method, fields, body: length === undefined ? null : body.toString('latin1') },
    ]);
    const framing = target.split('/').at(-1);
    await connection.send(answerTo(method, target, framing));
    if (framing === 'close') break;
  }
  connection.fin();
}

function answerTo(method: string, target: string, framing: string | undefined): string {
  const body = bodyOf(target);
  const bytes = method === 'HEAD' ? '' : body;
  switch (framing ?? '') {
    case 'chunks':
      return `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${bytes === '' ? '' : inChunks(body, 999)}`;
    case 'close':
      return `HTTP/1.0 200 OK\r\n\r\n${bytes}`;
    case 'empty':
      return 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
    default:
      return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${bytes}`;
  }
}

let upstream: Upstream;
let proxy: TestProxy;
beforeAll(async () => {
  upstream = await Upstream.start(script);
  proxy = await TestProxy.start(upstream.url, { bodyHold: 1, bodyHoldMax: 1, lingerTimeout: 20 });
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

/** What the upstream adds or writes again is compared in smuggling.test.ts. */
const OURS = /^(host|content-length|connection|expect|via|forwarded|x-forwarded-.*|x-real-ip)$/i;

function withoutOurs(fields: readonly string[]): string[] {
  return fields.filter((_part, index) => !OURS.test(fields[index - (index % 2)] ?? ''));
}

function expectSeenOnce(target: string, request: AnyRequest): void {
  const times = seen.get(target) ?? [];
  expect(times.map((one) => ({ ...one, fields: withoutOurs(one.fields) }))).toEqual([
    { method: request.method, fields: request.fields, body: request.body },
  ]);
}

/** Sends the packets one by one, so that the kernel does not join them. */
async function sendInPackets(client: Client, packets: readonly string[]): Promise<void> {
  for (const packet of packets) {
    client.socket.write(packet, 'latin1');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function expectAnswer(client: Client, target: string, { method }: AnyRequest): Promise<void> {
  const { status, body } = await client.response(method);
  expect(status).toBe(200);
  const empty = method === 'HEAD' || target.endsWith('/empty');
  expect(body.toString('latin1') === (empty ? '' : bodyOf(target)), target).toBe(true);
}

let runs = 0;
const targetOf = (index: number, framing: FramingName): string => `/run${runs}/${index}/${framing}`;

test(
  'a request is the same to the upstream however it is split',
  async () => {
    await fc.assert(
      fc.asyncProperty(
        anyRequest,
        anyPlaces,
        fc.constantFrom(...FRAMINGS),
        async (request, places, framing) => {
          runs += 1;
          const target = targetOf(0, framing);
          using client = await Client.connect(proxy.port);
          await sendInPackets(client, packetsOf(request.text(target), places));
          await expectAnswer(client, target, request);
          client.halfClose();
          expect(await client.end()).toBe('fin');
          expectSeenOnce(target, request);
        },
      ),
      LIMITS,
    );
  },
  TIMEOUT_MS,
);

test(
  'a request in packets of one byte is the same to the upstream',
  async () => {
    await fc.assert(
      fc.asyncProperty(anyRequest, async (request) => {
        runs += 1;
        const target = targetOf(0, 'length');
        using client = await Client.connect(proxy.port);
        await sendInPackets(client, request.text(target).split(''));
        await expectAnswer(client, target, request);
        expectSeenOnce(target, request);
      }),
      { ...LIMITS, numRuns: Math.ceil(RUNS / 6) },
    );
  },
  TIMEOUT_MS,
);

const sequence = fc.array(fc.record({ request: anyRequest, framing: fc.constantFrom(...FRAMINGS) }), {
  minLength: 1,
  maxLength: 8,
});

test(
  'requests of one connection, pipelined or not, are answered in order, each with its own body, up to the one that closes',
  async () => {
    await fc.assert(
      fc.asyncProperty(
        sequence,
        fc.boolean(),
        anyPlaces,
        fc.boolean(),
        async (all, pipelined, places, leaves) => {
          runs += 1;
          const closing = all.findIndex(({ request }) => request.closes);
          const answered = closing < 0 ? all : all.slice(0, closing + 1);
          const targets = all.map(({ framing }, index) => targetOf(index, framing));
          const texts = all.map(({ request }, index) => request.text(targets[index] ?? ''));
          using client = await Client.connect(proxy.port);
          if (pipelined) await sendInPackets(client, packetsOf(texts.join(''), places));
          if (pipelined && leaves) client.halfClose();
          for (const [index, { request }] of answered.entries()) {
            if (!pipelined) await sendInPackets(client, packetsOf(texts[index] ?? '', places));
            await expectAnswer(client, targets[index] ?? '', request);
          }
          client.halfClose();
          expect(await client.end()).toBe('fin');
          expect(client.left.length).toBe(0);
          for (const [index, { request }] of answered.entries())
            expectSeenOnce(targets[index] ?? '', request);
          for (const target of targets.slice(answered.length)) expect(seen.has(target), target).toBe(false);
        },
      ),
      LIMITS,
    );
  },
  TIMEOUT_MS,
);
