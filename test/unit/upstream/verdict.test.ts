import { describe, expect, test } from 'vitest';
import type { Framing } from '../../../src/http/framing.ts';
import type { EndingKind } from '../../../src/upstream/evidence.ts';
import { judge } from '../../../src/upstream/verdict.ts';
import type { VerdictKind } from '../../../src/upstream/verdict.ts';
import { evidence, partOfHead, silence } from './evidence-fixtures.ts';

const FRAMINGS: Record<Framing['kind'], Framing> = {
  none: { kind: 'none' },
  length: { kind: 'length', length: 10 },
  chunked: { kind: 'chunked' },
  close: { kind: 'close' },
};

/** Rows: how it ended. Columns: nothing came, a part of the head, then the head with each framing. */
const TABLE: readonly (readonly [EndingKind, Record<'silence' | 'head' | Framing['kind'], VerdictKind>])[] = [
  [
    'message-end',
    {
      silence: 'complete',
      head: 'complete',
      none: 'complete',
      length: 'complete',
      chunked: 'complete',
      close: 'complete',
    },
  ],
  [
    'fin',
    {
      silence: 'no-response',
      head: 'truncated',
      none: 'truncated',
      length: 'truncated',
      chunked: 'truncated',
      close: 'unverifiable',
    },
  ],
  [
    'rst',
    {
      silence: 'no-response',
      head: 'truncated',
      none: 'truncated',
      length: 'truncated',
      chunked: 'truncated',
      close: 'truncated',
    },
  ],
  [
    'timeout',
    {
      silence: 'no-response',
      head: 'truncated',
      none: 'truncated',
      length: 'truncated',
      chunked: 'truncated',
      close: 'truncated',
    },
  ],
  [
    'parse-error',
    {
      silence: 'malformed',
      head: 'malformed',
      none: 'truncated',
      length: 'truncated',
      chunked: 'truncated',
      close: 'truncated',
    },
  ],
  [
    'limit',
    {
      silence: 'over-limit',
      head: 'over-limit',
      none: 'over-limit',
      length: 'over-limit',
      chunked: 'over-limit',
      close: 'over-limit',
    },
  ],
  [
    'connect-failed',
    {
      silence: 'no-response',
      head: 'no-response',
      none: 'no-response',
      length: 'no-response',
      chunked: 'no-response',
      close: 'no-response',
    },
  ],
  [
    'client-gone',
    {
      silence: 'abandoned',
      head: 'abandoned',
      none: 'abandoned',
      length: 'abandoned',
      chunked: 'abandoned',
      close: 'abandoned',
    },
  ],
];

describe.each(TABLE)('an attempt that ended with %s', (ending, verdicts) => {
  test('before anything came', () => {
    expect(judge(silence({ ending }))).toBe(verdicts.silence);
  });

  test('inside the head', () => {
    expect(judge(partOfHead({ ending }))).toBe(verdicts.head);
  });

  test.each(Object.values(FRAMINGS))('with framing $kind', (framing) => {
    expect(judge(evidence({ ending, framing }))).toBe(verdicts[framing.kind]);
  });
});
