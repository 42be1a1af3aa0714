/** Whatever servers do, a report can be made of it, and it is one that a person can read. */

import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { SCENARIOS } from '../../../src/diagnose/scenarios.ts';
import { findingsOf } from '../../../src/diagnose/findings.ts';
import type { EndingKind } from '../../../src/upstream/evidence.ts';
import { study, type Seen } from './fixtures.ts';

const ENDINGS: readonly EndingKind[] = [
  'message-end',
  'fin',
  'rst',
  'timeout',
  'parse-error',
  'limit',
  'connect-failed',
];

const framing = fc.constantFrom<NonNullable<Seen['framing']>>(
  { kind: 'none' },
  { kind: 'length', length: 1000 },
  { kind: 'chunked' },
  { kind: 'close' },
);

const seen: fc.Arbitrary<Seen> = fc.record({
  ending: fc.constantFrom(...ENDINGS),
  status: fc.constantFrom(200, 204, 404, 500, null),
  framing,
  bodyBytes: fc.nat(2000),
  surplusBytes: fc.constantFrom(0, 0, 0, 7),
  firstByteMs: fc.nat(500),
  closedBy: fc.constantFrom('fin' as const, 'rst' as const, 'nobody' as const),
  keepAlive: fc.constantFrom(
    'not-asked' as const,
    'honoured' as const,
    'closed-early' as const,
    'unanswered' as const,
  ),
});

const server = fc.dictionary(
  fc.constantFrom(...SCENARIOS.map(({ name }) => name)),
  fc.array(seen, { minLength: 1, maxLength: 4 }),
);

test('every finding has figures that fit together, and whole sentences', () => {
  fc.assert(
    fc.property(server, (tries) => {
      for (const finding of findingsOf(study(tries))) {
        const { what, cause, cure, upstreamFix, affected, scenarios, worst } = finding;
        expect(affected).toBeLessThanOrEqual(finding.tries);
        if (finding.code !== 'small-answer') expect(affected).toBeGreaterThan(0);
        for (const name of scenarios) expect(Object.keys(tries)).toContain(name);
        if (worst !== null) expect(worst.lostBytes).toBeLessThanOrEqual(worst.ofBytes);
        for (const text of [what, cause, cure, upstreamFix]) {
          if (text !== null) expect(text).toMatch(/^\p{L}.*[.:]$/u);
          expect(text ?? '').not.toMatch(/undefined|NaN|Infinity| {2}/);
        }
      }
    }),
    { numRuns: 200 },
  );
});

test('whatever was lost is a fault', () => {
  fc.assert(
    fc.property(server, (tries) => {
      const cut = Object.entries(tries).some(
        ([name, all]) =>
          name !== 'get-half-closed' &&
          all.some(
            ({ ending, status, framing: how }) =>
              status !== null &&
              (ending === 'rst' || ending === 'timeout' || (ending === 'fin' && how?.kind !== 'close')),
          ),
      );
      const faults = findingsOf(study(tries)).filter(({ severity }) => severity === 'fault');
      if (cut) expect(faults.length).toBeGreaterThan(0);
    }),
    { numRuns: 200 },
  );
});
