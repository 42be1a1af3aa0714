import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  fieldValue,
  fieldValues,
  hopByHopNames,
  listMembers,
  listParts,
  trimOws,
  withoutFields,
} from '../../../src/http/fields.ts';

/** Several strings on one line. */
const split = (text: string): string[] => text.split('|');

const FIELDS = ['Set-Cookie', 'a=1', 'X-One', '', 'set-cookie', 'b=2', 'Value', 'x-one'];

describe('a field', () => {
  test('is found whatever the case of its name', () => {
    expect(fieldValue(FIELDS, 'set-cookie')).toBe('a=1');
    expect(fieldValues(FIELDS, 'set-cookie')).toEqual(['a=1', 'b=2']);
  });

  test('with an empty value is there', () => {
    expect(fieldValue(FIELDS, 'x-one')).toBe('');
    expect(fieldValues(FIELDS, 'x-one')).toEqual(['']);
  });

  test('that is not there is undefined, also when a value looks like its name', () => {
    expect(fieldValue(FIELDS, 'a=1')).toBeUndefined();
    expect(fieldValue(['Name', 'other', 'value', 'x'], 'other')).toBeUndefined();
    expect(fieldValues([], 'host')).toEqual([]);
  });

  test('is dropped with all its repeats, the others stay as they are', () => {
    expect(withoutFields(FIELDS, new Set(['set-cookie']))).toEqual(['X-One', '', 'Value', 'x-one']);
  });
});

describe('a list', () => {
  test.each([
    ['', []],
    [' , ,\t', []],
    ['Keep-Alive', ['keep-alive']],
    [' a ,B\t,, c', ['a', 'b', 'c']],
    ['a="x,Y", b', ['a="x,y"', 'b']],
    ['a="x\\",y", b', ['a="x\\",y"', 'b']],
    ['a="never, closed', ['a="never, closed']],
    ['a="ends in \\', ['a="ends in \\']],
    ['"a"b"c,d",e', ['"a"b"c,d"', 'e']],
  ])('%j has the members %j', (value, members) => {
    expect(listMembers(value)).toEqual(members);
  });

  test('keeps its case where that is asked for', () => {
    expect(listParts('1.1 Alpha, "B,c"')).toEqual(['1.1 Alpha', '"B,c"']);
  });

  test('of quotes without end takes no longer than its length warrants', () => {
    const started = performance.now();
    listMembers('"\\'.repeat(100_000));
    listMembers(`${'"a'.repeat(100_000)}\\`);
    expect(performance.now() - started).toBeLessThan(2000);
  });

  test('without quotes is what a split at commas gives', () => {
    const noQuote = fc.string().filter((text) => !text.includes('"'));
    fc.assert(
      fc.property(noQuote, (text) => {
        expect(listParts(text)).toEqual(
          text
            .split(',')
            .map(trimOws)
            .filter((part) => part !== ''),
        );
      }),
    );
  });
});

test('white space around a value is trimmed, a no-break space is part of it', () => {
  expect(trimOws(' \t a b\t ')).toBe('a b');
  expect(trimOws('\xa0x\xa0')).toBe('\xa0x\xa0');
  expect(trimOws(' \t ')).toBe('');
});

describe('hop-by-hop fields', () => {
  const withoutHopByHop = (fields: readonly string[]): string[] =>
    withoutFields(fields, hopByHopNames(fields));

  test('stop here, in any case, with every field that Connection names', () => {
    const fields = [
      ...split('Host|x|CONNECTION|close, X-Secret|connection|"quoted", X-Other'),
      ...split('Proxy-Connection|keep-alive|Keep-Alive|timeout=5|TE|trailers|Trailer|X-Sum'),
      ...split('Transfer-Encoding|chunked|Upgrade|h2c|HTTP2-Settings|AA|x-secret|1|X-OTHER|2|X-Kept|3'),
    ];
    expect(withoutHopByHop(fields)).toEqual(['Host', 'x', 'X-Kept', '3']);
  });

  test('are stopped without a Connection field too', () => {
    expect(withoutHopByHop(['Keep-Alive', 'timeout=5', 'Close', 'x', 'A', 'b'])).toEqual(['A', 'b']);
  });

  test.each([
    'Host',
    'Content-Length',
    'Content-Type',
    'Authorization',
    'Cookie',
    'Set-Cookie',
    'X-Forwarded-For',
  ])('cannot be made of %s by naming it in Connection', (name) => {
    const fields = [name, 'essential', 'Connection', `close, ${name}, TE`];
    expect(withoutHopByHop(fields)).toEqual([name, 'essential']);
  });
});
