import { headTooLarge } from '../../../src/upstream/evidence.ts';
import { expect, test } from 'vitest';
import { OUTCOMES, outcomeOf, isReset, isWhole, type Outcome } from '../../../src/diagnose/tally.ts';
import { CUT, observed, RESET_BEHIND, UNANSWERED, WHOLE, type Seen } from './fixtures.ts';

const CASES: readonly (readonly [Outcome, Seen])[] = [
  ['whole', WHOLE],
  ['whole', { closedBy: 'nobody' }],
  ['reset-behind', RESET_BEHIND],
  ['surplus', { surplusBytes: 2 }],
  ['surplus', { surplusBytes: 2, closedBy: 'rst' }],
  ['unproven', { ending: 'fin', framing: { kind: 'close' } }],
  ['cut-reset', CUT],
  ['cut-reset', { ending: 'rst', framing: { kind: 'close' } }],
  ['cut-closed', { ending: 'fin' }],
  ['stalled', { ending: 'timeout' }],
  ['not-http', { ending: 'parse-error' }],
  ['reset', UNANSWERED],
  ['closed', { ending: 'fin', status: null }],
  ['silent', { ending: 'timeout', status: null }],
  ['not-http', { ending: 'parse-error', status: null }],
  ['not-http', { ending: headTooLarge(65_536), status: null }],
  ['endless', { ending: { kind: 'limit', limit: 'body', detail: 'why' } }],
  ['endless', { ending: 'limit' }],
  ['unreachable', { ending: 'connect-failed', status: null }],
  ['given-up', { ending: 'client-gone' }],
];

test.each(CASES)('%s is what %j comes to', (outcome, seen) => {
  expect(outcomeOf(observed(seen))).toBe(outcome);
});

test('every outcome comes up', () => {
  expect(new Set(CASES.map(([outcome]) => outcome))).toEqual(new Set(OUTCOMES));
});

test('whole are those whose announced bytes all came; reset are those that an RST ended', () => {
  expect(OUTCOMES.filter(isWhole)).toEqual(['whole', 'reset-behind', 'surplus', 'unproven']);
  expect(OUTCOMES.filter(isReset)).toEqual(['reset-behind', 'cut-reset', 'reset']);
});
