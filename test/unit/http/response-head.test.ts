import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findHeadEnd, parseResponseHead } from '../../../src/http/response-head.ts';
import type { HeadResult } from '../../../src/http/response-head.ts';

const parse = (text: string): HeadResult => {
  const bytes = Buffer.from(text, 'latin1');
  return parseResponseHead(bytes, 0, bytes.length);
};

const whyNot = (text: string): string => {
  const result = parse(text);
  return result.kind === 'malformed' ? result.why : 'it was accepted';
};

const fieldsOf = (lines: string): readonly string[] | string => {
  const result = parse(`HTTP/1.1 200 OK\r\n${lines}\r\n`);
  return result.kind === 'head' ? result.head.fields : result.why;
};

describe('a status line', () => {
  test.each([
    ['HTTP/1.1 200 OK', { minor: 1, status: 200, reason: 'OK' }],
    ['HTTP/1.0 404 Not Found', { minor: 0, status: 404, reason: 'Not Found' }],
    ['HTTP/1.1 200 ', { minor: 1, status: 200, reason: '' }],
    ['HTTP/1.1 200', { minor: 1, status: 200, reason: '' }],
    ['HTTP/1.1 100 Continue', { minor: 1, status: 100, reason: 'Continue' }],
    ['HTTP/1.1 999 Beyond', { minor: 1, status: 999, reason: 'Beyond' }],
    ['HTTP/1.1 500 \tTab and \xe9', { minor: 1, status: 500, reason: '\tTab and \xe9' }],
    ['HTTP/1.1 200  two spaces ', { minor: 1, status: 200, reason: ' two spaces ' }],
  ])('%j is understood', (line, head) => {
    expect(parse(`${line}\r\n\r\n`)).toEqual({ kind: 'head', head: { ...head, fields: [] } });
  });

  test.each([
    ['', 'its first line is empty'],
    [' HTTP/1.1 200 OK', 'its first line begins with white space'],
    ['\tHTTP/1.1 200 OK', 'its first line begins with white space'],
    ['HTTP/1.1 200 a\x00b', 'the line "HTTP/1.1 200 a\\x00b" holds a NUL'],
    ['HTTP/1.1 200 a\x7fb', 'the line "HTTP/1.1 200 a\\x7fb" holds the control character 0x7f'],
    ['HTTP/1.1 200 OK\rX', 'the line "HTTP/1.1 200 OK\\x0dX" holds a bare CR'],
    ['HTTP/1.1 200 OK\nA: b', 'the line "HTTP/1.1 200 OK\\x0aA: b" holds a bare LF'],
    ['ICY 200 OK', 'its first line is "ICY 200 OK", which does not begin with HTTP/'],
    ['HTTP/2.0 200 OK', 'its first line "HTTP/2.0 200 OK" does not begin with HTTP/1.1'],
    ['HTTP/1.2 200 OK', 'its first line "HTTP/1.2 200 OK" does not begin with HTTP/1.1'],
    ['HTTP/1.10 200 OK', 'its first line "HTTP/1.10 200 OK" does not begin with HTTP/1.1'],
    ['HTTP/1.1  200 OK', 'its first line "HTTP/1.1  200 OK" has no status of three digits from 100 to 999'],
    ['HTTP/1.1 099 x', 'its first line "HTTP/1.1 099 x" has no status of three digits from 100 to 999'],
    ['HTTP/1.1 20 x', 'its first line "HTTP/1.1 20 x" has no status of three digits from 100 to 999'],
    ['HTTP/1.1 2000 x', 'its first line "HTTP/1.1 2000 x" has no status of three digits from 100 to 999'],
    ['HTTP/1.1', 'its first line "HTTP/1.1" has no status of three digits from 100 to 999'],
  ])('%j is refused', (line, why) => {
    expect(whyNot(`${line}\r\n\r\n`)).toBe(why);
  });

  test('is shown shortened, with quotes and control characters escaped', () => {
    expect(whyNot(`say "\\" ${'x'.repeat(100)}\r\n\r\n`)).toBe(
      `its first line is "say \\"\\\\\\" ${'x'.repeat(52)}…", which does not begin with HTTP/`,
    );
    expect(whyNot('\x9b31m\r\n\r\n')).toContain('"\\x9b31m"');
  });
});

describe('field lines', () => {
  test.each([
    ['', []],
    ['A: b\r\n', ['A', 'b']],
    ['A:b\r\na:\r\nA: \t \r\n', ['A', 'b', 'a', '', 'A', '']],
    ['Set-Cookie: a=1\r\nset-cookie: b=2\r\n', ['Set-Cookie', 'a=1', 'set-cookie', 'b=2']],
    ["!#$%&'*+-.^_`|~09azAZ: x\r\n", ["!#$%&'*+-.^_`|~09azAZ", 'x']],
    ['X: \xff\xa0 \t\xe9\t\r\n', ['X', '\xff\xa0 \t\xe9']],
    ['Location: http://a:80/?b: c\r\n', ['Location', 'http://a:80/?b: c']],
    ['A: one \r\n\t two\r\n', ['A', 'one two']],
    ['A: one\r\n two\r\n   three\r\nB: x\r\n', ['A', 'one two three', 'B', 'x']],
    ['A:\r\n folded\r\n', ['A', 'folded']],
    ['A: one\r\n \r\n', ['A', 'one']],
  ])('%j become %j', (lines, fields) => {
    expect(fieldsOf(lines)).toEqual(fields);
  });

  test.each([
    [' A: b\r\n', 'white space stands before its first field'],
    ['\tA: b\r\n', 'white space stands before its first field'],
    ['Foo Bar: x\r\n', 'the field name "Foo Bar" holds a space'],
    ['Foo : x\r\n', 'the field name "Foo " holds a space'],
    ['Foo\r\n : x\r\n', 'the field name "Foo " holds a space'],
    ['Foo\r\n', 'the line "Foo" has no colon'],
    [': x\r\n', 'the line ": x" has an empty field name'],
    ['F(o): x\r\n', 'the field name "F(o)" holds a character that no name may hold'],
    ['F\xe9: x\r\n', 'the field name "F\xe9" holds a character that no name may hold'],
    ['A: b\x00\r\n', 'the line "A: b\\x00" holds a NUL'],
    ['A: b\x01\r\n', 'the line "A: b\\x01" holds the control character 0x01'],
    ['A: b\rc\r\n', 'the line "A: b\\x0dc" holds a bare CR'],
    ['\rA: b\r\n', 'the line "\\x0dA: b" holds a bare CR'],
    ['A: b\nB: c\r\n', 'the line "A: b\\x0aB: c" holds a bare LF'],
    ['A: b\r\n\r\nB: c\r\n', 'a line is empty in the middle of its fields'],
  ])('%j are refused', (lines, why) => {
    expect(fieldsOf(lines)).toBe(why);
  });

  test('without the empty line at their end are refused', () => {
    expect(whyNot('HTTP/1.1 200 OK\r\nA: b\r\n')).toBe('a line is empty in the middle of its fields');
    expect(whyNot('HTTP/1.1 200 OK\r\nA: b')).not.toBe('it was accepted');
    expect(whyNot('HTTP/1.1 200 OK')).not.toBe('it was accepted');
  });

  test.each([
    ['spaces before a NUL', `A:${' '.repeat(200_000)}\0\r\n`],
    ['spaces around a fold', `A: ${' '.repeat(100_000)}x${' '.repeat(100_000)}\r\n x\r\n`],
    ['folds', `A: x${'\r\n '.repeat(70_000)}\0\r\n`],
    ['a name without a colon', `${'a'.repeat(200_000)}\r\n`],
  ])('of 200 kB of %s take no longer than their length warrants', (_name, lines) => {
    const started = performance.now();
    fieldsOf(lines);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

describe('lines that end in LF', () => {
  test.each([
    ['HTTP/1.1 200 OK\nA: b\nB:  c \n\n', ['A', 'b', 'B', 'c']],
    ['HTTP/1.1 200 OK\nA: b\n c\n\n', ['A', 'b c']],
    ['HTTP/1.1 200 OK\n\n', []],
  ])('are understood if all do: %j', (text, fields) => {
    expect(parse(text)).toEqual({ kind: 'head', head: { minor: 1, status: 200, reason: 'OK', fields } });
  });

  test.each([
    'HTTP/1.1 200 OK\r\nA: b\nSet-Cookie: evil\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA: b\n\n',
    'HTTP/1.1 200 OK\nA: b\r\n\r\n',
    'HTTP/1.1 200 OK\nA: b\n\r\n',
    'HTTP/1.1 200 OK\nA: b\rc\n\n',
    'HTTP/1.1 200 OK\nA : b\n\n',
  ])('are refused if others do not, or hold what no line may: %j', (text) => {
    expect(parse(text).kind).toBe('malformed');
  });
});

test('a head is read from the middle of a buffer', () => {
  const bytes = Buffer.from('xxHTTP/1.1 204 No Content\r\nA: b\r\n\r\nbody', 'latin1');
  const end = findHeadEnd(bytes, 2, bytes.length);
  expect(parseResponseHead(bytes, 2, end)).toEqual({
    kind: 'head',
    head: { minor: 1, status: 204, reason: 'No Content', fields: ['A', 'b'] },
  });
});

test('any bytes at all are either a head or malformed', () => {
  const anyBytes = fc.uint8Array({ maxLength: 200 });
  const nearly = fc
    .tuple(fc.constantFrom('HTTP/1.1 200 OK\r\n', 'HTTP/1.0 1'), fc.stringMatching(/^[A:\r\n \t\0]*$/))
    .map(([first, rest]) => Buffer.from(`${first}${rest}\r\n\r\n`));
  fc.assert(
    fc.property(fc.oneof(anyBytes, nearly), (bytes) => {
      const result = parseResponseHead(Buffer.from(bytes), 0, bytes.length);
      if (result.kind === 'malformed') expect(result.why).toMatch(/^[\x20-\x7e\xa0-\xff…]+$/);
      else expect(result.head.fields.length % 2).toBe(0);
    }),
    { numRuns: 2000 },
  );
});

const found = (text: string, from: number, end = text.length): number =>
  findHeadEnd(Buffer.from(text, 'latin1'), from, end);

describe('the end of a head', () => {
  test('is after the first empty line', () => {
    expect(found('HTTP/1.1 200 OK\r\n\r\nbody\r\n\r\n', 0)).toBe(19);
  });

  test('is not there before the empty line is whole', () => {
    expect(found('HTTP/1.1 200 OK\r\nA: b\r\n', 0)).toBe(-1);
    expect(found('HTTP/1.1 200 OK\r\n\r\n', 0, 18)).toBe(-1);
  });

  test('that was searched before is not found again', () => {
    expect(found('a\r\n\r\nHTTP/1.1 200 OK\r\n', 5)).toBe(-1);
  });

  test.each([
    ['HTTP/1.1 200 OK\nA: b\n\nbody', 22],
    ['HTTP/1.1 200 OK\nA: b\n\r\nbody', 23],
    ['a\n\r\nb\n\n', 4],
    ['HTTP/1.1 200 OK\r\nA: b\n\nbody\r\n\r\n', 23],
    ['HTTP/1.1 200 OK\n\nbody\r\n\r\n', 17],
  ])('is the first empty line, however lines end: in %j', (text, end) => {
    expect(found(text, 0)).toBe(end);
  });

  test('is the same however the head is split into packets', () => {
    const head = 'HTTP/1.1 200 OK\r\nA: b\r\nC: d\r\n\r\n';
    const cuts = fc.array(fc.nat({ max: head.length }), { maxLength: 5 });
    fc.assert(
      fc.property(cuts, fc.string({ maxLength: 8 }), (at, after) => {
        const bytes = Buffer.from(head + after, 'latin1');
        const ends = [...at.sort((a, b) => a - b), bytes.length];
        let searched = 0;
        const hit = ends.map((end) => {
          const result = findHeadEnd(bytes, searched, end);
          searched = end;
          return result;
        });
        expect(hit.find((end) => end >= 0)).toBe(head.length);
      }),
      { numRuns: 1000 },
    );
  });
});
