/** Any bodies, written in any parts into spools that are too small for all of them, many at once. */

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Spool } from '../../../src/spool/spool.ts';
import type { SpoolWriter } from '../../../src/spool/spool-writer.ts';

const KIB = 1024;

interface Plan {
  readonly bytes: number;
  readonly isKnown: boolean;
  readonly partBytes: number;
  readonly memoryBytes: number;
  /** It is disposed of after so many bytes: while it is written, or while it is finished. Null: never. */
  readonly givenUpAfter: number | null;
}

const plans: fc.Arbitrary<readonly Plan[]> = fc.array(
  fc.record({
    bytes: fc.oneof(fc.nat(5000), fc.nat(1200 * KIB)),
    isKnown: fc.boolean(),
    partBytes: fc.oneof(fc.integer({ min: 1 * KIB, max: 64 * KIB }), fc.constant(700 * KIB)),
    memoryBytes: fc.constantFrom(0, 100 * KIB, 2048 * KIB),
    givenUpAfter: fc.option(fc.nat(1200 * KIB), { freq: 4 }),
  }),
  { minLength: 1, maxLength: 10 },
);

/** Bytes in which no two places look alike, so that a lost or repeated part shows. */
function contents(bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  for (let at = 0; at + 4 <= bytes; at += 4) buffer.writeUInt32LE(Math.imul(at, 2_654_435_761) >>> 0, at);
  return buffer;
}

/** As a reader does: into the window where there is one, and by a copy where not. */
function writePart(writer: SpoolWriter, part: Buffer): void {
  const window = writer.window();
  const direct = Math.min(window?.length ?? 0, part.length);
  if (window !== null) {
    window.set(part.subarray(0, direct));
    writer.commit(direct);
  }
  writer.append(part.subarray(direct));
}

async function run(spool: Spool, plan: Plan): Promise<void> {
  const { bytes, isKnown, partBytes, memoryBytes, givenUpAfter } = plan;
  const body = contents(bytes);
  using writer = spool.ofExchange().writer(isKnown ? bytes : null, memoryBytes, Infinity);
  for (let from = 0; from < bytes && writer.fault === null; from += partBytes) {
    if (givenUpAfter !== null && from >= givenUpAfter) return;
    writePart(writer, body.subarray(from, from + partBytes));
    if (!writer.congested) continue;
    await new Promise<void>((resolve) => {
      writer.whenDrained(resolve);
    });
  }
  const finished = writer.finish();
  if (givenUpAfter !== null) writer[Symbol.dispose]();
  const whole = await finished;
  if ('kind' in whole) {
    expect(whole.kind).toBe(givenUpAfter === null ? 'exhausted' : whole.kind);
    return;
  }
  // Also of a writer that was given up: what was all in memory was handed over before.
  const parts: Buffer[] = [];
  for await (const part of whole.parts()) parts.push(Buffer.from(part));
  whole[Symbol.dispose]();
  expect(Buffer.concat(parts).equals(body)).toBe(true);
}

test('each comes out as it went in or is refused, and nothing of any is left', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lastbyte-test-'));
  await fc.assert(
    fc.asyncProperty(plans, async (all) => {
      const spool = new Spool({
        memoryTotalBytes: 1024 * KIB,
        diskTotalBytes: 3 * 1024 * KIB,
        spoolDir: folder,
        spoolWaitMs: 50,
      });
      await Promise.all(all.map(async (plan) => await run(spool, plan)));
      expect(spool.memory.usedBytes + spool.disk.usedBytes).toBe(0);
      expect(spool.memory.waiting + spool.disk.waiting).toBe(0);
    }),
    { numRuns: 40 },
  );
  expect(readdirSync(folder)).toEqual([]);
  rmSync(folder, { recursive: true });
});
