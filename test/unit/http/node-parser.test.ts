import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NodeReader, readByUs, readWithSurplus } from './both-parsers.ts';
import type { Outcome } from './both-parsers.ts';
import { ACCEPTED, REFUSED } from './parser-cases.ts';
import {
  ACCEPTED_SINCE_NODE_22,
  NODE_20,
  NODE_ACCEPTS,
  NODE_REFUSES,
  READ_OTHERWISE,
  REFUSED_SINCE_NODE_22,
} from './parser-differences.ts';
import type { Difference } from './parser-differences.ts';

let node: NodeReader;
beforeAll(async () => {
  node = await NodeReader.start();
});
afterAll(() => node[Symbol.asyncDispose]());

const shown = (text: string): string => JSON.stringify(text.length > 90 ? `${text.slice(0, 90)}…` : text);
const sinceNode22 = (differences: readonly Difference[]): string[] =>
  NODE_20 ? [] : differences.map(({ text }) => text);
const titled = (text: string): [string, string] => [shown(text), text];

describe('what Node’s client parser and ours', () => {
  test.each([...ACCEPTED, ...sinceNode22(ACCEPTED_SINCE_NODE_22)].map(titled))(
    'read alike: %s',
    async (_shown, text) => {
      const ours = readByUs(text);
      expect(ours).not.toBeNull();
      expect(await node.read(text)).toEqual(ours);
    },
  );

  test.each([...REFUSED, ...sinceNode22(REFUSED_SINCE_NODE_22)].map(titled))(
    'refuse alike: %s',
    async (_shown, text) => {
      expect(readByUs(text)).toBeNull();
      expect(await node.read(text)).toBeNull();
    },
  );
});

describe('what we refuse, though Node accepts it:', () => {
  test.each(NODE_ACCEPTS.map(({ why, text }) => [why, ...titled(text)]))(
    '%s: %s',
    async (_why, _shown, text) => {
      expect(readByUs(text)).toBeNull();
      expect(await node.read(text)).not.toBeNull();
    },
  );
});

describe('what we accept, though Node refuses it:', () => {
  test.each(NODE_REFUSES.map(({ why, text }) => [why, ...titled(text)]))(
    '%s: %s',
    async (_why, _shown, text) => {
      expect(readByUs(text)).not.toBeNull();
      expect(await node.read(text)).toBeNull();
    },
  );
});

describe('what both accept and read otherwise:', () => {
  test.each(READ_OTHERWISE.map(({ why, text }) => [why, ...titled(text)]))(
    '%s: %s',
    async (_why, _shown, text) => {
      const [ours, theirs] = [readByUs(text), await node.read(text)];
      expect(ours).not.toBeNull();
      expect(theirs).not.toBeNull();
      expect(ours).not.toEqual(theirs);
    },
  );
});

type Mutation = readonly [kind: 'insert' | 'replace' | 'delete' | 'repeat', at: number, what: string];

function mutated(text: string, [kind, place, what]: Mutation): string {
  const at = place % (text.length + 1);
  const [before, after] = [text.slice(0, at), text.slice(at)];
  switch (kind) {
    case 'insert':
      return before + what + after;
    case 'replace':
      return before + what + after.slice(1);
    case 'delete':
      return before + after.slice(1);
    case 'repeat':
      return before + after.slice(0, 8) + after;
  }
  return text;
}

/** The differences of the tables above, as patterns for whole responses. */
const NODE_ACCEPTS_PATTERNS: readonly RegExp[] = [
  /^HTTP\/1\.[01] \d{3} [^\r\n]*[^\t\x20-\x7e\x80-\xff\r\n]/,
  /^HTTP\/\d\.\d 0\d\d/,
  /^HTTP[^\r\n]*\r\r/,
  /^HTTP\/(?:2\.0|0\.9) /,
  /^[\r\n]/,
  /\r\nTransfer-Encoding:/i,
];
const NODE_REFUSES_PATTERNS: readonly RegExp[] = [
  /\r\n[ \t]/,
  /^HTTP[^\r\n]*\n(?:[^\r]*\n)?\n/,
  /\r\nContent-Length:[^]*\r\nContent-Length:/i,
  /\r\nContent-Length:[^\r]*[,\t]/i,
  /\r\nTransfer-Encoding:[^]*\r\nContent-Length:/i,
  /\r\nContent-Length:[^]*\r\nTransfer-Encoding:/i,
  /^HTTP\/1\.\d (?:1\d\d|204|304)/,
  /\r\n[\da-f]+[ \t]*;/i,
];

function isListed(text: string, ours: Outcome, theirs: Outcome, surplusBytes: number): boolean {
  if (ours !== null && theirs !== null) return /\r\nTransfer-Encoding:[^\r]*[,\t]/i.test(text);
  if (ours === null) return NODE_ACCEPTS_PATTERNS.some((pattern) => pattern.test(text));
  return surplusBytes > 0 || NODE_REFUSES_PATTERNS.some((pattern) => pattern.test(text));
}

const SEED = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);

test(`random mutations of good responses differ only as listed (SEED=${SEED})`, async () => {
  const what = fc.oneof(
    fc.constantFrom(...'\r\n\0\t\x01\x7f\x80\xff :;,"=-+09afgHTP/.'.split('')),
    fc.constantFrom('\r\n', '\r\n ', '\r\n\r\n', 'Content-Length: 5\r\n', 'Transfer-Encoding: chunked\r\n'),
  );
  const mutation = fc.tuple(fc.constantFrom('insert', 'replace', 'delete', 'repeat'), fc.nat(500), what);
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...ACCEPTED),
      fc.array(mutation, { minLength: 1, maxLength: 3 }),
      async (good, mutations) => {
        const text = mutations.reduce(mutated, good);
        const { outcome: ours, surplusBytes } = readWithSurplus(text);
        const theirs = await node.read(text);
        if (isDeepStrictEqual(ours, theirs) || isListed(text, ours, theirs, surplusBytes)) return;
        expect({ text, reading: ours }).toEqual({ text, reading: theirs });
      },
    ),
    { seed: SEED, numRuns: Number(process.env['RUNS'] ?? 1500) },
  );
});
