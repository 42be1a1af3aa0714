import { describe, expect, test } from 'vitest';
import { Routes } from '../../../src/upstream/routes.ts';
import type { Evidence } from '../../../src/upstream/evidence.ts';
import { judge } from '../../../src/upstream/verdict.ts';
import { evidence, silence } from './evidence-fixtures.ts';

const AUTO = { withholdBody: 'auto', bodyHoldMs: 100, bodyHoldMaxMs: 5000 } as const;

/** What was learned from this attempt on POST /a, whose body was to be held for `heldMs`. */
function having(seen: Evidence, heldMs = 100): Routes {
  const routes = new Routes();
  routes.learn('POST', '/a', heldMs, judge(seen), seen);
  return routes;
}

describe('a body is held', () => {
  test('on a route of which nothing is known', () => {
    expect(new Routes().holdMs('POST', '/a', AUTO)).toBe(100);
  });

  test('for long on a route that answered before its body came', () => {
    expect(having(evidence({ requestBody: 'withheld' })).holdMs('POST', '/a', AUTO)).toBe(5000);
  });

  test.each(['partly', 'whole'] as const)(
    'for long on a route that was cut with its body %s sent',
    (requestBody) => {
      const cut = evidence({ ending: 'rst', bodyBytes: 5, requestBody });
      expect(having(cut).holdMs('POST', '/a', AUTO)).toBe(5000);
      expect(having(silence({ ending: 'fin', requestBody })).holdMs('POST', '/a', AUTO)).toBe(5000);
    },
  );

  test('always, if the user says so, but no longer than the route needs', () => {
    const always = { ...AUTO, withholdBody: 'always' } as const;
    expect(having(evidence({ requestBody: 'whole' })).holdMs('POST', '/a', always)).toBe(100);
    expect(having(evidence({ requestBody: 'withheld' })).holdMs('POST', '/a', always)).toBe(5000);
  });
});

describe('a body goes at once', () => {
  const reading = having(evidence({ requestBody: 'whole' }));

  test('on a route that answered only when it had its body', () => {
    expect(reading.holdMs('POST', '/a', AUTO)).toBe(0);
    expect(reading.holdMs('POST', '/a?page=2', AUTO), 'the query is not part of the route').toBe(0);
    expect(reading.holdMs('PUT', '/a', AUTO), 'the method is').toBe(100);
    expect(reading.holdMs('POST', '/b', AUTO), 'and the path').toBe(100);
  });

  test('on a route that differs only in a number', () => {
    const routes = new Routes();
    routes.learn('PUT', '/items/7/photo', 100, 'complete', evidence({ requestBody: 'whole' }));
    expect(routes.holdMs('PUT', '/items/8/photo', AUTO)).toBe(0);
    expect(routes.holdMs('PUT', '/items/3f2a-9/photo', AUTO)).toBe(0);
    expect(routes.holdMs('PUT', '/items/8/tags', AUTO)).toBe(100);
  });

  test('if the user says so', () => {
    const off = { ...AUTO, withholdBody: 'off' } as const;
    expect(having(evidence({ requestBody: 'withheld' })).holdMs('POST', '/a', off)).toBe(0);
  });
});

describe('nothing is learned', () => {
  test('from a body that was not held: it would have come first in any case', () => {
    expect(having(evidence({ requestBody: 'whole' }), 0).holdMs('POST', '/a', AUTO)).toBe(100);
  });

  test('from a failure that no body can have caused', () => {
    expect(having(silence({ ending: 'rst', requestBody: 'withheld' })).holdMs('POST', '/a', AUTO)).toBe(100);
    expect(having(silence({ ending: 'timeout', requestBody: 'whole' })).holdMs('POST', '/a', AUTO)).toBe(100);
  });
});

test('the last thing learned counts', () => {
  const routes = having(evidence({ requestBody: 'withheld' }));
  routes.learn('POST', '/a', 5000, 'complete', evidence({ requestBody: 'whole' }));
  expect(routes.holdMs('POST', '/a', AUTO)).toBe(0);
});

test('of a thousand and one routes the oldest is forgotten', () => {
  const routes = new Routes();
  const name = (index: number): string =>
    `/${String.fromCharCode(
      ...String(index)
        .split('')
        .map((digit) => 97 + Number(digit)),
    )}`;
  const early = evidence({ requestBody: 'withheld' });
  for (let index = 0; index <= 1000; index += 1) routes.learn('POST', name(index), 100, 'complete', early);
  expect([routes.holdMs('POST', name(0), AUTO), routes.holdMs('POST', name(1), AUTO)]).toEqual([100, 5000]);
});
