/** Any valid response, as bytes and as what it means: the generators of property tests. */

import * as fc from 'fast-check';

export type FramingName = 'a length' | 'chunks' | 'until close' | 'HEAD' | '204' | '304';

export interface AnyResponse {
  readonly framing: FramingName;
  readonly method: 'GET' | 'HEAD';
  /** As on the wire, latin1. */
  readonly text: string;
  /** The index in `text` just after the final head. */
  readonly headEnd: number;
  readonly status: number;
  readonly reason: string;
  /** Flat [name, value, …], unfolded: the fields that a client must get. */
  readonly fields: readonly string[];
  readonly body: string;
  /** The interim statuses that a client must get. */
  readonly interims: readonly number[];
}

interface Written {
  readonly text: string;
  readonly meaning: string;
}

/** Bytes of a value or a body that no framing takes for its own. */
const VISIBLE = 'abcXYZ019 !"#$%&\'()*+,-./:;<=>?@[]^_`{|}~\x80\xe9\xff'.split('');
const BYTES = [...VISIBLE, '\0', '\r', '\n', '\t', '\r\n\r\n', '0\r\n\r\n', 'HTTP/1.1 200 OK\r\n'];

const word = fc.string({ unit: fc.constantFrom(...VISIBLE.filter((byte) => byte !== ' ')), minLength: 1 });
const body = fc.string({ unit: fc.constantFrom(...BYTES), minLength: 0, maxLength: 2000 });
const space = fc.constantFrom('', ' ', '\t', '  ');

/** A value in one line, or in some (RFC 9112 section 5.2): each fold means one space. */
const value: fc.Arbitrary<Written> = fc
  .tuple(fc.array(word, { maxLength: 3 }), fc.constantFrom('\r\n ', '\r\n\t', ' \r\n  \t'))
  .map(([words, fold]) => ({ text: words.join(fold), meaning: words.join(' ') }));

/** One field line and its flat [name, value]. */
const field = fc
  .tuple(fc.constantFrom('X-One', 'x-two', 'X-tHREE', 'Set-Cookie', 'Link', 'ETag'), space, value, space)
  .map(([name, before, written, after]) => ({
    line: `${name}:${before}${written.text}${after}\r\n`,
    flat: [name, written.meaning],
  }));

const INTERIMS = [
  { text: 'HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n', status: 103 },
  { text: 'HTTP/1.1 102 Processing\r\n\r\n', status: 102 },
  { text: 'HTTP/1.1 100 Continue\r\n\r\n', status: 100 },
] as const;
const interims = fc.array(fc.constantFrom(...INTERIMS), { maxLength: 3 });

const chunking = fc.record({
  sizes: fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 8 }),
  zeros: fc.constantFrom('', '000'),
  extension: fc.constantFrom('', ';flag', ' ; name="a;b"', ';a=1;b=2'),
  trailers: fc.constantFrom('', 'X-Sum: 1\r\n', 'X-Sum: 1\r\nExpires: never\r\n'),
});
type Chunking = typeof chunking extends fc.Arbitrary<infer T> ? T : never;

/** The bytes in chunks of these sizes, round and round. */
function inChunks(bytes: string, { sizes, zeros, extension, trailers }: Chunking): string {
  let text = '';
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const part = bytes.slice(at, at + (sizes[turn % sizes.length] ?? 1));
    const size = part.length.toString(16);
    text += `${zeros}${turn % 2 === 0 ? size : size.toUpperCase()}${extension}\r\n${part}\r\n`;
    at += part.length;
  }
  return `${text}${zeros}0${extension}\r\n${trailers}\r\n`;
}

const STATUSES: Readonly<Record<FramingName, readonly number[]>> = {
  'a length': [200, 201, 206, 301, 404, 500],
  chunks: [200, 404],
  'until close': [200, 404],
  HEAD: [200, 404],
  '204': [204],
  '304': [304],
};

/** The fields that say the framing, and the bytes after the head. */
function framed(framing: FramingName, bytes: string, chunks: Chunking): { line: string; tail: string } {
  switch (framing) {
    case 'a length':
      return { line: `content-Length:${bytes.length}\r\n`, tail: bytes };
    case 'chunks':
      return { line: 'Transfer-Encoding: Chunked\r\n', tail: inChunks(bytes, chunks) };
    case 'until close':
      return { line: 'Connection: close\r\n', tail: bytes };
    case 'HEAD':
    case '304':
      return { line: 'Content-Length: 77\r\n', tail: '' };
    case '204':
      return { line: '', tail: '' };
  }
}

export function anyResponse(framing: FramingName): fc.Arbitrary<AnyResponse> {
  const parts = fc.record({
    before: interims,
    minor: framing === 'chunks' ? fc.constant(1) : fc.constantFrom(0, 1),
    status: fc.constantFrom(...STATUSES[framing]),
    reason: fc.oneof(fc.constant(''), word),
    fields: fc.array(field, { maxLength: 6 }),
    framingFirst: fc.boolean(),
    bytes: body,
    chunks: chunking,
  });
  return parts.map(({ before, minor, status, reason, fields, framingFirst, bytes, chunks }) => {
    const { line, tail } = framed(framing, bytes, chunks);
    const lines = fields.map((one) => one.line).join('');
    const head =
      `${before.map((one) => one.text).join('')}HTTP/1.${minor} ${status} ${reason}\r\n` +
      `${framingFirst ? line + lines : lines + line}\r\n`;
    return {
      framing,
      method: framing === 'HEAD' ? 'HEAD' : 'GET',
      text: head + tail,
      headEnd: head.length,
      status,
      reason,
      fields: fields.flatMap((one) => one.flat),
      body: tail === '' ? '' : bytes,
      interims: before.map((one) => one.status).filter((one) => one !== 100),
    };
  });
}

/** A place in a text of any length, counted from its start, or, below 0, from its end. */
export const anyPlace: fc.Arbitrary<number> = fc.oneof(fc.nat(1_000_000), fc.integer({ min: -12, max: -1 }));

export const anyPlaces: fc.Arbitrary<readonly number[]> = fc.array(anyPlace, { maxLength: 30 });

/** How much of the text stands before the place: always less than all of it. */
export function lengthUpTo(place: number, text: string): number {
  return place < 0 ? Math.max(0, text.length + place) : place % text.length;
}

/** The packets of a text that is cut at `places`; none is empty. */
export function packetsOf(text: string, places: readonly number[]): readonly string[] {
  if (text === '') return [];
  const cuts = [...new Set(places.map((place) => lengthUpTo(place, text)))].sort((a, b) => a - b);
  const edges = [0, ...cuts.filter((cut) => cut > 0), text.length];
  return edges.slice(1).map((edge, index) => text.slice(edges[index], edge));
}
