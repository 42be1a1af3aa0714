import { describe, expect, test } from 'vitest';
import { contentLength, keepsAlive, responseFraming, saysClose } from '../../../src/http/framing.ts';
import type { Framing } from '../../../src/http/framing.ts';
import type { ResponseHead } from '../../../src/http/response-head.ts';

const head = (fields: readonly string[], status = 200, minor: 0 | 1 = 1): ResponseHead => ({
  minor,
  status,
  reason: '',
  fields,
});

const length = (value: number): Framing => ({ kind: 'length', length: value });
const TE = 'Transfer-Encoding';
const CL = 'Content-Length';

describe('a response', () => {
  test.each<[name: string, method: string, status: number]>([
    ['to HEAD', 'HEAD', 200],
    ['with 100', 'GET', 100],
    ['with 103', 'GET', 103],
    ['with 204', 'GET', 204],
    ['with 304', 'GET', 304],
  ])('%s has no body, whatever its fields say', (_name, method, status) => {
    for (const fields of [[], [CL, '5'], [TE, 'chunked'], [CL, 'x'], [TE, 'gzip']]) {
      expect(responseFraming(method, head(fields, status))).toEqual({
        kind: 'framing',
        framing: { kind: 'none' },
      });
    }
  });

  test.each<[fields: readonly string[], framing: Framing]>([
    [[], { kind: 'close' }],
    [[CL, '0'], length(0)],
    [[CL, '5'], length(5)],
    [['content-length', '0005'], length(5)],
    [[CL, '9007199254740991'], length(Number.MAX_SAFE_INTEGER)],
    [[CL, '5', CL, '5'], length(5)],
    [[CL, '5, 5 ,5'], length(5)],
    [[TE, 'chunked'], { kind: 'chunked' }],
    [[TE, ' CHUNKED '], { kind: 'chunked' }],
    [[TE, 'chunked,'], { kind: 'chunked' }],
    [[TE, 'chunked', CL, '5'], { kind: 'chunked' }],
    [[CL, 'nonsense', TE, 'chunked'], { kind: 'chunked' }],
    [[TE, 'identity'], { kind: 'close' }],
    [[TE, 'Identity', CL, '7'], length(7)],
  ])('with %j is framed', (fields, framing) => {
    expect(responseFraming('GET', head(fields))).toEqual({ kind: 'framing', framing });
  });

  test('of HTTP/1.0 may be chunked: only the last chunk can end it', () => {
    expect(responseFraming('GET', head([TE, 'chunked'], 200, 0))).toEqual({
      kind: 'framing',
      framing: { kind: 'chunked' },
    });
  });

  test.each<[fields: readonly string[], why: string, coding: boolean]>([
    [[TE, 'gzip, chunked'], 'its transfer coding is "gzip, chunked"', true],
    [[TE, 'gzip'], 'its transfer coding is "gzip"', true],
    [[TE, 'identity, chunked'], 'its transfer coding is "identity, chunked"', true],
    [[TE, 'chunked;a="b,c"'], 'its transfer coding is "chunked;a=\\"b,c\\""', true],
    [[TE, 'chunked', TE, 'chunked'], 'it is chunked more than once', false],
    [[TE, '', CL, '5'], 'its Transfer-Encoding field is empty', false],
    [[CL, ''], 'its Content-Length "" is not a length', false],
    [[CL, '-1'], 'its Content-Length "-1" is not a length', false],
    [[CL, '+5'], 'its Content-Length "+5" is not a length', false],
    [[CL, '5,'], 'its Content-Length "" is not a length', false],
    [[CL, '0x5'], 'its Content-Length "0x5" is not a length', false],
    [[CL, '9007199254740992'], 'its Content-Length "9007199254740992" is not a length', false],
    [[CL, '5, 6'], 'it has two Content-Lengths, 5 and 6', false],
    [[CL, '5', CL, '6'], 'it has two Content-Lengths, 5 and 6', false],
  ])('with %j is malformed', (fields, why, coding) => {
    expect(responseFraming('GET', head(fields))).toEqual({ kind: 'malformed', why, coding });
  });

  test('that announces 400 digits is answered with 60 of them', () => {
    const announced = contentLength([CL, '1'.repeat(400)]);
    expect(announced).toEqual({
      kind: 'malformed',
      why: `its Content-Length "${'1'.repeat(60)}…" is not a length`,
    });
  });
});

const CLOSE: Framing = { kind: 'close' };
const CHUNKED: Framing = { kind: 'chunked' };

describe('a connection', () => {
  test.each<[minor: 0 | 1, fields: readonly string[], framing: Framing, kept: boolean]>([
    [1, [], length(5), true],
    [1, [], { kind: 'none' }, true],
    [1, ['Connection', 'close'], length(5), false],
    [1, ['Connection', 'x, Close'], length(5), false],
    [1, ['Connection', 'keep-alive', 'Connection', 'close'], length(5), false],
    [1, [], CLOSE, false],
    [1, ['Connection', 'keep-alive'], CLOSE, false],
    [0, [], length(5), false],
    [0, ['Connection', 'Keep-Alive'], length(5), true],
    [0, ['Connection', 'keep-alive, close'], length(5), false],
    [1, [TE, 'chunked'], CHUNKED, true],
    [0, ['Connection', 'keep-alive', TE, 'chunked'], CHUNKED, false],
    [1, [TE, 'chunked', CL, '5'], CHUNKED, false],
  ])('of HTTP/1.%i with %j and %j is kept: %s', (minor, fields, framing, kept) => {
    expect(keepsAlive(head(fields, 200, minor), framing)).toBe(kept);
  });

  test.each<[minor: 0 | 1, fields: readonly string[], closes: boolean]>([
    [1, [], false],
    [1, ['Connection', 'close'], true],
    [1, ['Connection', 'keep-alive'], false],
    [0, [], true],
    [0, ['Connection', 'keep-alive'], false],
    [0, ['Connection', 'upgrade'], true],
  ])('of HTTP/1.%i with %j is said to close: %s', (minor, fields, closes) => {
    expect(saysClose(head(fields, 200, minor))).toBe(closes);
  });
});
