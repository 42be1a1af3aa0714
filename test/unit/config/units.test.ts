import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatBytes,
  formatDuration,
  parseBytes,
  parseDuration,
  grouped,
} from '../../../src/config/units.ts';

const value = (number: number) => ({ kind: 'value', value: number });

describe('a size', () => {
  test.each([
    ['512', 512],
    ['0', 0],
    ['1b', 1],
    ['10mb', 10 * 1024 ** 2],
    ['10MB', 10 * 1024 ** 2],
    ['64 KiB', 64 * 1024],
    ['64k', 64 * 1024],
    ['1.5gb', 1.5 * 1024 ** 3],
    ['1tb', 1024 ** 4],
  ])('%s is read in powers of 1024', (text, bytes) => {
    expect(parseBytes(text)).toEqual(value(bytes));
  });

  test.each(['', 'mb', '-1', '10 megabytes', '1e3', '10mbit', '0x10', '1,5gb', '10mb 5kb'])(
    '%j is none',
    (text) => {
      expect(parseBytes(text)).toMatchObject({ kind: 'wrong', problem: 'is not a size' });
    },
  );

  test('beyond what can be counted exactly is refused', () => {
    expect(parseBytes('99999tb')).toMatchObject({ kind: 'wrong', problem: 'is too large to count' });
  });

  test('is written so that it is read back unchanged', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (bytes) => {
        expect(parseBytes(formatBytes(bytes))).toEqual(value(bytes));
      }),
    );
  });
});

describe('a time', () => {
  test.each([
    ['0', 0],
    ['100ms', 100],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['1d', 86_400_000],
    ['1.5 s', 1500],
    ['2S', 2000],
  ])('%s is read', (text, ms) => {
    expect(parseDuration(text)).toEqual(value(ms));
  });

  test('without a unit is refused, and both meanings are offered', () => {
    expect(parseDuration('30')).toEqual({
      kind: 'wrong',
      problem: 'has no unit',
      remedy: 'Write 30s for seconds or 30ms for milliseconds',
    });
  });

  test.each(['', 's', '-1s', '5 minutes', '1m30s', 'soon'])('%j is none', (text) => {
    expect(parseDuration(text)).toMatchObject({ kind: 'wrong', problem: 'is not a time' });
  });

  test('is written so that it is read back unchanged', () => {
    fc.assert(
      fc.property(fc.nat(), (ms) => {
        expect(parseDuration(formatDuration(ms))).toEqual(value(ms));
      }),
    );
  });
});

describe('a number in a sentence', () => {
  test('is grouped as in English', () => {
    const inEnglish = new Intl.NumberFormat('en-US');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.maxSafeNat(),
          fc.integer().map((tenths) => tenths / 10),
        ),
        (number) => {
          expect(grouped(number)).toBe(inEnglish.format(number));
        },
      ),
    );
  });
});
