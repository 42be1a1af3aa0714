import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Budget } from '../../../src/spool/budget.ts';
import { BufferPool } from '../../../src/spool/buffer-pool.ts';
import { SpoolWriter } from '../../../src/spool/spool-writer.ts';
import type { SinkFault } from '../../../src/spool/spooled-body.ts';
import { FIN, resetBy } from '../../../src/upstream/evidence.ts';
import type { Ending } from '../../../src/upstream/evidence.ts';
import { ResponseReader } from '../../../src/upstream/response-reader.ts';

/** What one reading came to. */
interface Reading {
  readonly ending: string | null;
  /** Of what the response was refused for. */
  readonly fault: string | null;
  readonly interims: readonly number[];
  readonly status: number | null;
  readonly body: string | null;
  readonly surplus: number;
  readonly trailers: number;
}

interface Way {
  readonly method?: string;
  readonly maxHeaderBytes?: number;
  readonly maxBytes?: number;
  /** What the connection does when all packets are read. */
  readonly end?: 'fin' | 'rst';
}

function faultOf(ending: Ending): string | null {
  if (ending.kind === 'parse-error') return ending.fault;
  return ending.kind === 'limit' ? ending.limit : null;
}

/** Reads the packets as a connection hands them over: into the window that the reader names, or into scratch memory. */
async function read(packets: readonly Buffer[], way: Way = {}): Promise<Reading> {
  const { method = 'GET', maxHeaderBytes = 65_536, maxBytes = 10_000_000, end } = way;
  const interims: number[] = [];
  let over: Pick<Reading, 'ending' | 'fault'> = { ending: null, fault: null };
  let writer: SpoolWriter | null = null;
  const reader = new ResponseReader(method, maxHeaderBytes, {
    interim: (head) => interims.push(head.status),
    head: (_head, framing) => {
      writer = memoryWriter(framing.kind === 'length' ? framing.length : null, maxBytes);
      return writer;
    },
    messageEnded: (ending) => {
      over = { ending: ending.kind, fault: faultOf(ending) };
    },
  });
  for (const packet of packets) hand(reader, packet);
  if (end !== undefined) reader.end(end === 'fin' ? FIN : resetBy(null));
  return {
    ...over,
    interims,
    status: reader.head?.status ?? null,
    body: await bodyOf(writer),
    surplus: reader.surplusBytes,
    trailers: reader.trailerFields,
  };
}

function hand(reader: ResponseReader, packet: Buffer): void {
  const scratch = Buffer.alloc(64 * 1024);
  for (let from = 0; from < packet.length;) {
    const window = reader.window() ?? scratch;
    const count = Math.min(window.length, packet.length - from);
    window.set(packet.subarray(from, from + count));
    reader.read(window, count);
    from += count;
  }
}

function memoryWriter(expectedBytes: number | null, maxBytes: number): SpoolWriter {
  const openFile = (): number => {
    throw new Error('no file is needed');
  };
  const memory = new Budget(100_000_000, 0).account();
  return new SpoolWriter(
    { memory, disk: memory, buffers: new BufferPool(0), openFile },
    { expectedBytes, memoryBytes: 100_000_000, maxBytes },
  );
}

async function bodyOf(writer: SpoolWriter | null): Promise<string | null> {
  const body = await writer?.finish();
  if (body === undefined || isFault(body)) return null;
  return Buffer.concat(body.memory ?? []).toString('latin1');
}

function isFault(body: object): body is SinkFault {
  return 'kind' in body;
}

const BODY = 'The quick brown fox jumps over the lazy dog. '.repeat(20);
const chunked = (body: string): string =>
  (body.match(/.{1,100}/gs) ?? []).map((part) => `${part.length.toString(16)};x=y\r\n${part}\r\n`).join('') +
  '0\r\nT: 1\r\n\r\n';

const RESPONSES: Record<string, string> = {
  length: `HTTP/1.1 200 OK\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`,
  'length, with a head of 6 KB': `HTTP/1.1 200 OK\r\nX: ${'long '.repeat(1200)}\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`,
  chunked: `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunked(BODY)}`,
  'length, after a 103': `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`,
  'chunked, after two 102': `${'HTTP/1.1 102 Processing\r\n\r\n'.repeat(2)}HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunked(BODY)}`,
};

/** Cuts a text into packets at the given places, which are taken modulo its length. */
function packetsOf(text: string, places: readonly number[]): Buffer[] {
  const cuts = [...new Set(places.map((place) => place % text.length))].sort((a, b) => a - b);
  const edges = [0, ...cuts.filter((cut) => cut > 0), text.length];
  return edges.slice(1).map((edge, index) => Buffer.from(text.slice(edges[index], edge), 'latin1'));
}

const places = fc.array(fc.nat(100_000), { maxLength: 40 });

describe.each(Object.entries(RESPONSES))('a response with framing by %s', (_name, text) => {
  test('is the same however it is split into packets, one byte each included', async () => {
    const whole = await read([Buffer.from(text, 'latin1')]);
    expect(whole).toMatchObject({ ending: 'message-end', status: 200, body: BODY, surplus: 0 });
    expect(await read(text.split('').map((byte) => Buffer.from(byte, 'latin1')))).toEqual(whole);
    await fc.assert(
      fc.asyncProperty(places, async (cuts) => {
        expect(await read(packetsOf(text, cuts))).toEqual(whole);
      }),
    );
  });

  test('cut at any place is never whole', async () => {
    for (let length = 0; length < text.length; length += 1) {
      const { ending } = await read([Buffer.from(text.slice(0, length), 'latin1')], { end: 'fin' });
      expect(ending, `after ${length} bytes`).toBe('fin');
    }
  });

  test('leaves what comes after it as surplus, in the same packet or a later one', async () => {
    const after = 'HTTP/1.1 200 OK\r\n\r\n';
    for (const packets of [[text + after], [text, after]]) {
      const reading = await read(packets.map((packet) => Buffer.from(packet, 'latin1')));
      expect(reading).toMatchObject({ ending: 'message-end', body: BODY, surplus: after.length });
    }
  });
});

test('trailers are counted', async () => {
  expect((await read([Buffer.from(RESPONSES['chunked'] ?? '')])).trailers).toBe(1);
});

test('a body until close is what came before the end', async () => {
  const text = `HTTP/1.0 200 OK\r\n\r\n${BODY}`;
  await fc.assert(
    fc.asyncProperty(places, async (cuts) => {
      expect(await read(packetsOf(text, cuts), { end: 'fin' })).toMatchObject({ ending: 'fin', body: BODY });
    }),
  );
});

test.each([
  ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n'],
  ['GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n'],
  ['GET', 'HTTP/1.1 204 No Content\r\n\r\n'],
  ['GET', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
])('%s answered by %j is over with its head', async (method, text) => {
  expect(await read([Buffer.from(text)], { method })).toMatchObject({ ending: 'message-end', body: '' });
});

describe('is refused as soon as it is known:', () => {
  test.each([
    ['another protocol', 'SSH-2', {}, 'parse-error', 'not-http'],
    [
      'a switch that nobody asked for',
      'HTTP/1.1 101 Switching Protocols\r\n\r\n',
      {},
      'parse-error',
      'switch',
    ],
    ['a malformed field', 'HTTP/1.1 200 OK\r\nA B: 1\r\n\r\n', {}, 'parse-error', 'head'],
    [
      'two lengths',
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      {},
      'parse-error',
      'length',
    ],
    ['an unknown coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n', {}, 'parse-error', 'coding'],
    [
      'a bad chunk',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
      {},
      'parse-error',
      'chunk-size',
    ],
    ['a large head', `HTTP/1.1 200 OK\r\nA: ${'x'.repeat(200)}`, { maxHeaderBytes: 100 }, 'limit', 'head'],
    [
      'a flood of interim heads',
      'HTTP/1.1 102 P\r\n\r\n'.repeat(20),
      { maxHeaderBytes: 100 },
      'limit',
      'head',
    ],
    ['a large length', 'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n', { maxBytes: 10 }, 'limit', 'body'],
    ['a body that grows', `HTTP/1.0 200 OK\r\n\r\n${BODY}`, { maxBytes: 10 }, 'limit', 'body'],
  ] as const)('%s', async (_name, text, way, ending, fault) => {
    expect(await read([Buffer.from(text)], way)).toMatchObject({ ending, fault });
  });

  test('and what comes after that is surplus', async () => {
    const [first, second] = [Buffer.from('SSH-2.0\r\n'), Buffer.from('more')];
    expect((await read([first, second])).surplus).toBe(second.length);
  });
});
