import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Spool } from '../../../src/spool/spool.ts';
import type { SpoolWriter } from '../../../src/spool/spool-writer.ts';
import type { SinkFault, SpooledBody } from '../../../src/spool/spooled-body.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

let folder = '';
let spool: Spool;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lastbyte-test-'));
  spool = new Spool({
    memoryTotalBytes: 4 * MIB,
    diskTotalBytes: 8 * MIB,
    spoolDir: folder,
    spoolWaitMs: 60_000,
  });
});

afterEach(() => {
  expect(readdirSync(folder)).toEqual([]);
  expect([spool.memory.usedBytes, spool.disk.usedBytes]).toEqual([0, 0]);
  rmSync(folder, { recursive: true });
});

/** Bytes in which no two places look alike, so that a lost or repeated part shows. */
function pattern(bytes: number): Buffer {
  const content = Buffer.alloc(bytes);
  for (let index = 0; index + 4 <= bytes; index += 4)
    content.writeUInt32LE(Math.imul(index, 2_654_435_761) >>> 0, index);
  return content;
}

async function writeInParts(writer: SpoolWriter, content: Buffer, partBytes: number): Promise<void> {
  for (let from = 0; from < content.length && writer.fault === null; from += partBytes) {
    writer.append(content.subarray(from, from + partBytes));
    if (!writer.congested) continue;
    await new Promise<void>((resolve) => {
      writer.whenDrained(resolve);
    });
  }
}

async function whole(body: SpooledBody | SinkFault): Promise<Buffer> {
  if ('kind' in body) throw new Error(JSON.stringify(body));
  const parts: Buffer[] = [];
  for await (const part of body.parts()) parts.push(Buffer.from(part));
  expect(body.bytes).toBe(Buffer.concat(parts).length);
  return Buffer.concat(parts);
}

describe.each([1, 100, 4 * KIB, 100 * KIB])('a body that comes in parts of %i bytes', (partBytes) => {
  test.each([0, 1, 16 * KIB, 100 * KIB, MIB])(
    '%i bytes long, length unknown, stays in memory',
    async (bytes) => {
      const content = pattern(partBytes === 1 ? Math.min(bytes, 20_000) : bytes);
      using writer = spool.ofExchange().writer(null, 2 * MIB, 100 * MIB);
      await writeInParts(writer, content, partBytes);
      const body = await writer.finish();
      expect((await whole(body)).equals(content)).toBe(true);
      expect('memory' in body && body.memory !== null).toBe(true);
      if (Symbol.dispose in body) body[Symbol.dispose]();
    },
  );
});

test('a body of known length is read into one buffer, without a copy', async () => {
  const content = pattern(50_000);
  using writer = spool.ofExchange().writer(content.length, MIB, MIB);
  for (let from = 0; from < content.length;) {
    const window = writer.window();
    if (window === null) throw new Error('no window');
    const count = Math.min(window.length, 7_000);
    window.set(content.subarray(from, from + count));
    writer.commit(count);
    from += count;
  }
  const body = await writer.finish();
  expect('memory' in body ? body.memory?.length : null).toBe(1);
  expect((await whole(body)).equals(content)).toBe(true);
  expect(spool.memory.usedBytes).toBe(64 * KIB);
  if (Symbol.dispose in body) body[Symbol.dispose]();
});

test.each([null, 3 * MIB + 5])(
  'a body larger than its share of memory goes to a file (length %s)',
  async (expected) => {
    const content = pattern(3 * MIB + 5);
    using writer = spool.ofExchange().writer(expected, 256 * KIB, 100 * MIB);
    await writeInParts(writer, content, 64 * KIB);
    const body = await writer.finish();
    expect('memory' in body ? body.memory : undefined).toBeNull();
    expect(spool.memory.usedBytes).toBe(0);
    expect((await whole(body)).equals(content)).toBe(true);
    expect((await whole(body)).equals(content), 'read a second time').toBe(true);
    if (Symbol.dispose in body) body[Symbol.dispose]();
  },
);

test('a file in use has no name, and no folder either', async () => {
  using writer = spool.ofExchange().writer(null, 0, 100 * MIB);
  await writeInParts(writer, pattern(MIB), 64 * KIB);
  expect(readdirSync(folder)).toEqual([]);
  const body = await writer.finish();
  expect(body).toMatchObject({ bytes: MIB, memory: null });
  if (Symbol.dispose in body) body[Symbol.dispose]();
});

describe('when the memory of all bodies is used up', () => {
  const FULL = pattern(4 * MIB);
  /** So much that room for it must be waited for; the first part of it is there before. */
  const NEXT = pattern(MIB + 5);

  async function full(): Promise<Disposable> {
    const writer = spool.ofExchange().writer(FULL.length, 4 * MIB, 100 * MIB);
    await writeInParts(writer, FULL, MIB);
    const body = writer.finishAtOnce();
    if (body === null) throw new Error('it is not in memory');
    return body;
  }

  test('the next one of known length waits for it, and is kept there', async () => {
    const first = await full();
    using second = spool.ofExchange().writer(NEXT.length, 4 * MIB, 100 * MIB);
    const written = writeInParts(second, NEXT, 50 * KIB);
    expect([second.congested, second.window(), second.finishAtOnce()]).toEqual([true, null, null]);
    expect(spool.memory.waiting).toBe(1);
    first[Symbol.dispose]();
    await written;
    const body = await second.finish();
    expect('memory' in body && body.memory !== null).toBe(true);
    expect((await whole(body)).equals(NEXT)).toBe(true);
    if (Symbol.dispose in body) body[Symbol.dispose]();
  });

  test.each([1000, NEXT.length])('it goes to a file after a while (length %i)', async (bytes) => {
    using first = await full();
    using second = spool.ofExchange().writer(bytes, 4 * MIB, 100 * MIB);
    await writeInParts(second, NEXT.subarray(0, bytes), 100);
    expect([spool.memory.waiting, spool.memory.usedBytes]).toEqual([0, FULL.length]);
    const body = await second.finish();
    expect('memory' in body ? body.memory : undefined).toBeNull();
    expect((await whole(body)).equals(NEXT.subarray(0, bytes))).toBe(true);
    if (Symbol.dispose in body) body[Symbol.dispose]();
    first[Symbol.dispose]();
  });

  test('one that came whole with its first part goes to a file at once', async () => {
    using first = await full();
    using second = spool.ofExchange().writer(1000, 4 * MIB, 100 * MIB);
    second.append(pattern(1000));
    expect([spool.memory.waiting, second.finishAtOnce()]).toEqual([1, null]);
    const finished = second.finish();
    expect(spool.memory.waiting).toBe(0);
    const body = await finished;
    expect((await whole(body)).equals(pattern(1000))).toBe(true);
    expect('memory' in body ? body.memory : undefined).toBeNull();
    if (Symbol.dispose in body) body[Symbol.dispose]();
    first[Symbol.dispose]();
  });

  test('more than it was to wait with is kept while it waits, and nothing of it is lost', async () => {
    const first = await full();
    using second = spool.ofExchange().writer(NEXT.length, 4 * MIB, 100 * MIB);
    second.append(NEXT.subarray(0, 200 * KIB));
    expect([spool.memory.waiting, second.congested]).toEqual([1, true]);
    first[Symbol.dispose]();
    await writeInParts(second, NEXT.subarray(200 * KIB), 64 * KIB);
    const body = await second.finish();
    expect((await whole(body)).equals(NEXT)).toBe(true);
    if (Symbol.dispose in body) body[Symbol.dispose]();
  });

  test('one of unknown length, or that never fits, does not wait', async () => {
    using first = await full();
    for (const expected of [null, 5 * MIB]) {
      const writer = spool.ofExchange().writer(expected, 4 * MIB, 100 * MIB);
      writer.append(pattern(1000));
      expect([spool.memory.waiting, writer.congested]).toEqual([0, false]);
      writer[Symbol.dispose]();
    }
    first[Symbol.dispose]();
  });

  test('one that is given up while it waits leaves the queue', async () => {
    using first = await full();
    const second = spool.ofExchange().writer(NEXT.length, 4 * MIB, 100 * MIB);
    second.append(pattern(KIB));
    expect(spool.memory.waiting).toBe(1);
    second[Symbol.dispose]();
    expect(spool.memory.waiting).toBe(0);
    first[Symbol.dispose]();
  });
});

describe('a limit', () => {
  test('an announced length above the largest body is known before the first byte', () => {
    using writer = spool.ofExchange().writer(MIB + 1, MIB, MIB);
    expect(writer.fault).toEqual({ kind: 'too-large', limitBytes: MIB });
    expect(writer.window()).toBeNull();
  });

  test('a body that grows above it is stopped', async () => {
    using writer = spool.ofExchange().writer(null, MIB, 1000);
    await writeInParts(writer, pattern(1001), 100);
    expect(await writer.finish()).toEqual({ kind: 'too-large', limitBytes: 1000 });
  });

  test('the disk budget names its option', async () => {
    using writer = spool.ofExchange().writer(null, 0, 100 * MIB);
    await writeInParts(writer, pattern(9 * MIB), 64 * KIB);
    expect(await writer.finish()).toEqual({ kind: 'exhausted', option: 'disk-total', limitBytes: 8 * MIB });
  });

  test('a spool folder that cannot be made is a fault, not an exception', async () => {
    const nowhere = new Spool({
      memoryTotalBytes: 0,
      diskTotalBytes: MIB,
      spoolDir: join(folder, 'missing'),
      spoolWaitMs: 0,
    });
    using writer = nowhere.ofExchange().writer(null, 0, MIB);
    writer.append(pattern(10));
    expect(await writer.finish()).toEqual({ kind: 'io', errorCode: 'ENOENT' });
  });
});

test('a writer that is given up in the middle of a write leaves nothing', async () => {
  const writer = spool.ofExchange().writer(null, 0, 100 * MIB);
  writer.append(pattern(700 * KIB));
  writer[Symbol.dispose]();
  expect([spool.memory.usedBytes, spool.disk.usedBytes]).toEqual([0, 0]);
});

test('a writer that is given up while it is finishing settles, and leaves nothing', async () => {
  const writer = spool.ofExchange().writer(null, 0, 100 * MIB);
  writer.append(pattern(700 * KIB));
  const finished = writer.finish();
  writer[Symbol.dispose]();
  expect(await finished).toMatchObject({ kind: 'io' });
});

test('a body that goes to a file counts with all of its bytes, also those that were in memory before', async () => {
  using writer = spool.ofExchange().writer(null, MIB, 100 * MIB);
  await writeInParts(writer, pattern(3 * MIB), 64 * KIB);
  expect(spool.disk.usedBytes).toBe(3 * MIB);
  const body = await writer.finish();
  expect((await whole(body)).equals(pattern(3 * MIB))).toBe(true);
  if (Symbol.dispose in body) body[Symbol.dispose]();
});

describe('when the disk of all bodies is used up', () => {
  const LARGE = pattern(6 * MIB);

  async function kept(writer: SpoolWriter, content: Buffer): Promise<SpooledBody | SinkFault> {
    await writeInParts(writer, content, 64 * KIB);
    return await writer.finish();
  }

  test.each([LARGE.length, null])(
    'a body waits until another gives its part back (length %s)',
    async (expected) => {
      const first = await kept(spool.ofExchange().writer(LARGE.length, 0, 100 * MIB), LARGE);
      const second = kept(spool.ofExchange().writer(expected, 0, 100 * MIB), LARGE);
      while (spool.disk.waiting === 0) await new Promise((resolve) => setImmediate(resolve));
      if (Symbol.dispose in first) first[Symbol.dispose]();
      const body = await second;
      expect((await whole(body)).equals(LARGE)).toBe(true);
      if (Symbol.dispose in body) body[Symbol.dispose]();
    },
  );

  test('bodies of known length come one after the other, the oldest first', async () => {
    const writers = [1, 2, 3].map(() => spool.ofExchange().writer(LARGE.length, 0, 100 * MIB));
    const order: number[] = [];
    await Promise.all(
      writers.map(async (writer, index) => {
        const body = await kept(writer, LARGE);
        expect((await whole(body)).equals(LARGE)).toBe(true);
        order.push(index);
        if (Symbol.dispose in body) body[Symbol.dispose]();
      }),
    );
    expect(order).toEqual([0, 1, 2]);
  });

  test('of bodies that wait for one another the youngest gives way', async () => {
    const writers = [
      spool.ofExchange().writer(null, 0, 100 * MIB),
      spool.ofExchange().writer(null, 0, 100 * MIB),
    ];
    // With half of each on disk there is not enough room left for either.
    for (const writer of writers) await writeInParts(writer, LARGE.subarray(0, 3 * MIB), 64 * KIB);
    const rest = LARGE.subarray(3 * MIB);
    const [older, younger] = await Promise.all(writers.map(async (writer) => await kept(writer, rest)));
    if (older === undefined || younger === undefined) throw new Error('two were written');
    expect(younger).toEqual({ kind: 'exhausted', option: 'disk-total', limitBytes: 8 * MIB });
    expect((await whole(older)).equals(LARGE)).toBe(true);
    if (Symbol.dispose in older) older[Symbol.dispose]();
  });

  test('a body waits no longer than it may', async () => {
    const impatient = new Spool({
      memoryTotalBytes: 0,
      diskTotalBytes: 8 * MIB,
      spoolDir: folder,
      spoolWaitMs: 1,
    });
    const first = await kept(impatient.ofExchange().writer(LARGE.length, 0, 100 * MIB), LARGE);
    expect(await kept(impatient.ofExchange().writer(LARGE.length, 0, 100 * MIB), LARGE)).toMatchObject({
      kind: 'exhausted',
    });
    if (Symbol.dispose in first) first[Symbol.dispose]();
    expect(impatient.disk.usedBytes).toBe(0);
  });

  test('one that is given up while it waits leaves the queue', async () => {
    const first = await kept(spool.ofExchange().writer(LARGE.length, 0, 100 * MIB), LARGE);
    const second = spool.ofExchange().writer(LARGE.length, 0, 100 * MIB);
    second.append(pattern(KIB));
    expect(spool.disk.waiting).toBe(1);
    second[Symbol.dispose]();
    expect(spool.disk.waiting).toBe(0);
    if (Symbol.dispose in first) first[Symbol.dispose]();
  });
});

describe('many bodies in files at once', () => {
  const BODIES = 200;
  const MOST_PARTS_BYTES = 16 * MIB + BODIES * 3 * 64 * KIB;

  /** As a socket fills it, until it is congested or so many bytes have come. */
  function fill(writer: SpoolWriter, bytes: number): void {
    for (let left = bytes; left > 0;) {
      const window = writer.window();
      if (window === null) return;
      const count = Math.min(window.length, left);
      writer.commit(count);
      left -= count;
    }
  }

  test('take 16 MiB of memory, and three small parts each, at most', async () => {
    spool = new Spool({
      memoryTotalBytes: 0,
      diskTotalBytes: 512 * MIB,
      spoolDir: folder,
      spoolWaitMs: 60_000,
    });
    const before = process.memoryUsage().arrayBuffers;
    const taken = (): number => process.memoryUsage().arrayBuffers - before;
    const writers = Array.from({ length: BODIES }, () => spool.ofExchange().writer(MIB, 0, MIB));
    for (const writer of writers) fill(writer, MIB);
    expect(writers.every(({ congested }) => congested)).toBe(true);
    expect(taken()).toBeLessThan(MOST_PARTS_BYTES + MIB);
    for (const writer of writers) writer[Symbol.dispose]();
  });
});
