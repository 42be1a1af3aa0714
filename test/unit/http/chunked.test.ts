import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ChunkedDecoder } from '../../../src/http/chunked.ts';

interface Decoded {
  readonly body: string;
  readonly used: number;
  readonly done: boolean;
  readonly error: string | null;
  readonly trailerFields: number;
}

/** Decodes `text` as packets that end at the given indexes. */
function decode(text: string, cuts: readonly number[] = []): Decoded {
  const bytes = Buffer.from(text, 'latin1');
  const decoder = new ChunkedDecoder();
  const parts: Buffer[] = [];
  let at = 0;
  for (const end of [...cuts, bytes.length].sort((a, b) => a - b)) {
    // A decoder that is done or failed uses nothing more.
    const packet = Uint8Array.prototype.slice.call(bytes, at, end);
    at += decoder.decode(packet, 0, packet.length, (part) => parts.push(Buffer.from(part)));
  }
  const { done, trailerFields } = decoder;
  const error = decoder.error?.detail ?? null;
  return { body: Buffer.concat(parts).toString('latin1'), used: at, done, error, trailerFields };
}

const byteCuts = (text: string): number[] => Array.from(text, (_, index) => index);

describe('a chunked body', () => {
  test.each([
    ['0\r\n\r\n', ''],
    ['000\r\n\r\n', ''],
    ['5\r\nhello\r\n0\r\n\r\n', 'hello'],
    ['a\r\n0123456789\r\nA\r\nabcdefghij\r\n0\r\n\r\n', '0123456789abcdefghij'],
    ['0000000000005\r\nhello\r\n0\r\n\r\n', 'hello'],
    ['5;a=b;c="d e";\xe9\r\nhello\r\n0;last\r\n\r\n', 'hello'],
    ['5 \t;a\r\nhello\r\n0\r\n\r\n', 'hello'],
    ['2\r\n\r\n\r\n0\r\n\r\n', '\r\n'],
  ])('%j is decoded, also byte by byte', (text, body) => {
    const whole = { body, used: text.length, done: true, error: null, trailerFields: 0 };
    expect(decode(text)).toEqual(whole);
    expect(decode(text, byteCuts(text))).toEqual(whole);
  });

  test('has its trailer fields counted and dropped', () => {
    const text = '1\r\na\r\n0\r\nX-Sum: 1\r\nX-Empty:\r\n\r\n';
    const whole = { body: 'a', used: text.length, done: true, error: null, trailerFields: 2 };
    expect(decode(text)).toEqual(whole);
    expect(decode(text, byteCuts(text))).toEqual(whole);
  });

  test('leaves what comes after it', () => {
    expect(decode('1\r\na\r\n0\r\n\r\nHTTP/1.1 200 OK')).toMatchObject({ done: true, used: 11 });
    expect(decode('1\r\na\r\n0\r\n\r\n', [11, 11])).toMatchObject({ done: true, used: 11 });
  });

  test('is decoded between start and end only, and passed on without a copy', () => {
    const bytes = Buffer.from('zz3\r\nabc\r\n0\r\n\r\nzz');
    const decoder = new ChunkedDecoder();
    const parts: Uint8Array[] = [];
    expect(decoder.decode(bytes, 2, 3, (part) => parts.push(part))).toBe(3);
    expect(decoder.decode(bytes, 3, 7, (part) => parts.push(part))).toBe(7);
    expect(decoder.decode(bytes, 7, bytes.length, (part) => parts.push(part))).toBe(bytes.length - 2);
    expect(parts.map((part) => Buffer.from(part).toString())).toEqual(['ab', 'c']);
    expect(parts.every((part) => part.buffer === bytes.buffer)).toBe(true);
    expect(decoder.done).toBe(true);
  });

  test.each([
    ['g\r\n', 'a chunk size begins with "g", which is not hexadecimal'],
    ['\r\n', 'a chunk size begins with "", which is not hexadecimal'],
    [' 5\r\n', 'a chunk size begins with " 5", which is not hexadecimal'],
    ['-5\r\n', 'a chunk size begins with "-5", which is not hexadecimal'],
    ['+5\r\n', 'a chunk size begins with "+5", which is not hexadecimal'],
    ['0x5\r\n', 'the chunk size "0x5" is not hexadecimal'],
    ['5 \r\nhello', 'the chunk size "5 " is not hexadecimal'],
    ['5 5\r\nhello', 'the chunk size "5 5" is not hexadecimal'],
    ['00000000000005\r\n', 'the chunk size "00000000000005" is out of all measure'],
    ['ffffffffffffffff\r\n', 'the chunk size "ffffffffffffffff" is out of all measure'],
    ['5\nhello\r\n', 'the line "5\\x0a" holds a bare LF'],
    ['5;a\rb\r\n', 'the line "5;a\\x0db" holds a bare CR'],
    ['5;a\0\r\n', 'the line "5;a\\x00" holds a NUL'],
    ['5\r\nhelloo\r\n', 'a chunk does not end where its size says'],
    ['5\r\nhello\n0\r\n\r\n', 'a chunk does not end where its size says'],
    ['5\r\nhello\rx', 'a chunk does not end where its size says'],
    ['0\r\nno colon\r\n\r\n', 'in its trailers, the line "no colon" has no colon'],
    ['0\r\nA : b\r\n\r\n', 'in its trailers, the field name "A " holds a space'],
    ['0\r\nA: b\n\r\n', 'in its trailers, the line "A: b\\x0a" holds a bare LF'],
    ['0\r\n folded: b\r\n', 'in its trailers, the field name " folded" holds a space'],
    ['0\r\n\n', 'in its trailers, the line "\\x0a" holds a bare LF'],
  ])('%j is refused, also byte by byte', (text, error) => {
    expect(decode(text)).toMatchObject({ done: false, error });
    const split = decode(text, byteCuts(text));
    expect(split.done).toBe(false);
    expect(split.error).not.toBeNull();
  });

  test.each([
    ['an extension of 4200 bytes', `1;${'x'.repeat(4200)}`, 'a chunk extension is longer than 4096 bytes'],
    [
      'a trailer of 17 kB',
      `0\r\nA: ${'x'.repeat(17_000)}\r\n`,
      'its trailer section is longer than 16384 bytes',
    ],
    [
      '3000 trailers',
      `0\r\n${'A: b\r\n'.repeat(3000)}\r\n`,
      'its trailer section is longer than 16384 bytes',
    ],
  ])('with %s is refused, also byte by byte', (_name, text, error) => {
    expect(decode(text)).toMatchObject({ done: false, error });
    expect(decode(text, byteCuts(text))).toMatchObject({ done: false, error });
  });

  test('may have an extension of 4096 bytes, and trailers of 16 KiB', () => {
    const trailer = `A:${'x'.repeat(16 * 1024 - 6)}\r\n`;
    const text = `1;${'x'.repeat(4095)}\r\na\r\n0\r\n${trailer}\r\n`;
    expect(decode(text, byteCuts(text))).toMatchObject({ body: 'a', done: true, trailerFields: 1 });
  });

  test('is refused before its line ends when it cannot become right', () => {
    expect(decode('<html>').error).toBe('a chunk size begins with "<html>", which is not hexadecimal');
    expect(decode('5').error).toBeNull();
    expect(decode('5 ').error).toBeNull();
    expect(decode('5;').error).toBeNull();
    expect(decode('5\r').error).toBeNull();
  });
});

const extension = fc.constantFrom('', ';a', ' ;b="c,d"');
const chunk = fc
  .tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), extension)
  .map(([content, ext]) => ({ content: Buffer.from(content).toString('latin1'), ext }));
const trailer = fc.constantFrom('', 'A: b\r\n', 'A: b\r\nC:\r\n');
const chunkedBody = fc.tuple(fc.array(chunk, { maxLength: 6 }), trailer).map(([chunks, trailers]) => ({
  body: chunks.map(({ content }) => content).join(''),
  text: `${chunks
    .map(({ content, ext }) => `${content.length.toString(16)}${ext}\r\n${content}\r\n`)
    .join('')}0\r\n${trailers}\r\n`,
}));

describe('property', () => {
  test('any split of a chunked body into packets decodes to the same', () => {
    fc.assert(
      fc.property(chunkedBody, fc.array(fc.nat()), ({ body, text }, cuts) => {
        const inside = cuts.map((cut) => cut % text.length);
        const whole = decode(text);
        expect(whole).toMatchObject({ body, done: true, error: null, used: text.length });
        expect(decode(text, inside)).toEqual(whole);
      }),
      { numRuns: 1000 },
    );
  });

  test('no cut of a chunked body is ever done, nor an error', () => {
    fc.assert(
      fc.property(chunkedBody, fc.nat(), ({ text }, cut) => {
        expect(decode(text.slice(0, cut % text.length))).toMatchObject({ done: false, error: null });
      }),
      { numRuns: 1000 },
    );
  });

  test('any bytes, however split, are decoded to the same without a throw', () => {
    const nearly = fc.stringMatching(/^(?:[0-4];?\r\n|[ab]{0,4}\r\n|\n| )*$/);
    const any = fc.uint8Array({ maxLength: 100 }).map((content) => Buffer.from(content).toString('latin1'));
    fc.assert(
      fc.property(fc.oneof(any, nearly), fc.array(fc.nat()), (text, cuts) => {
        const whole = decode(text);
        const split = decode(
          text,
          cuts.map((cut) => cut % (text.length + 1)),
        );
        expect({ ...split, error: split.error === null, used: 0 }).toEqual({
          ...whole,
          error: whole.error === null,
          used: 0,
        });
        expect(whole.done && whole.error !== null).toBe(false);
      }),
      { numRuns: 3000 },
    );
  });
});

test.each([
  ['zz\r\n', 'chunk-size'],
  [`1;${'x'.repeat(5000)}`, 'chunk-extension'],
  ['1\r\nab', 'chunk-end'],
  ['0\r\nA b: c\r\n', 'trailer'],
  [`0\r\nA: ${'b'.repeat(20_000)}`, 'trailer'],
  ['1\r\na', null],
])('the fault of %j is %s', (text, fault) => {
  const decoder = new ChunkedDecoder();
  decoder.decode(Buffer.from(text), 0, text.length, () => undefined);
  expect(decoder.error?.fault ?? null).toBe(fault);
});
