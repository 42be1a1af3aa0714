import { describe, expect, test } from 'vitest';
import { Routes } from '../../../src/upstream/routes.ts';
import type { Hold } from '../../../src/upstream/request-sender.ts';
import type { HoldSettings } from '../../../src/upstream/routes.ts';
import type { Evidence } from '../../../src/upstream/evidence.ts';
import { judge } from '../../../src/upstream/verdict.ts';
import { evidence, silence } from './evidence-fixtures.ts';

const AUTO = { withholdBody: 'auto', bodyHoldMs: 100, bodyHoldMaxMs: 5000 } as const;

/** A hold that was to last this long. */
const held = (ms: number): Hold => ({
  expectContinue: true,
  silentMs: ms,
  continuedMs: ms,
  respondingMs: 5000,
  saysContinue: false,
});

const silentMs = (routes: Routes, method: string, path: string, settings: HoldSettings): number =>
  routes.hold(method, path, settings).silentMs;

/** What was learned from this attempt on POST /a, whose body was to be held for `heldMs`. */
function having(seen: Evidence, heldMs = 100): Routes {
  const routes = new Routes();
  routes.learn('POST', '/a', held(heldMs), judge(seen), seen);
  return routes;
}

describe('a body is held', () => {
  test('on a route of which nothing is known', () => {
    expect(silentMs(new Routes(), 'POST', '/a', AUTO)).toBe(100);
  });

  test('for long on a route that responded before its body came', () => {
    expect(silentMs(having(evidence({ requestBody: 'withheld' })), 'POST', '/a', AUTO)).toBe(5000);
  });

  test.each(['partly', 'whole'] as const)(
    'for long on a route that was cut with its body %s sent',
    (requestBody) => {
      const cut = evidence({ ending: 'rst', bodyBytes: 5, requestBody });
      expect(silentMs(having(cut), 'POST', '/a', AUTO)).toBe(5000);
      expect(silentMs(having(silence({ ending: 'rst', requestBody })), 'POST', '/a', AUTO)).toBe(5000);
    },
  );

  test('always, if the user says so, but no longer than the route needs', () => {
    const always = { ...AUTO, withholdBody: 'always' } as const;
    expect(silentMs(having(evidence({ requestBody: 'whole' })), 'POST', '/a', always)).toBe(100);
    expect(silentMs(having(evidence({ requestBody: 'withheld' })), 'POST', '/a', always)).toBe(5000);
  });
});

describe('a body goes at once', () => {
  const reading = having(evidence({ requestBody: 'whole' }));

  test('on a route that responded only when it had its body', () => {
    expect(silentMs(reading, 'POST', '/a', AUTO)).toBe(0);
    expect(silentMs(reading, 'POST', '/a?page=2', AUTO), 'the query is not part of the route').toBe(0);
    expect(silentMs(reading, 'PUT', '/a', AUTO), 'the method is').toBe(100);
    expect(silentMs(reading, 'POST', '/b', AUTO), 'and the path').toBe(100);
  });

  test('on a route that differs only in a number', () => {
    const routes = new Routes();
    routes.learn('PUT', '/items/7/photo', held(100), 'complete', evidence({ requestBody: 'whole' }));
    expect(silentMs(routes, 'PUT', '/items/8/photo', AUTO)).toBe(0);
    expect(silentMs(routes, 'PUT', '/items/3f2a-9/photo', AUTO)).toBe(0);
    expect(silentMs(routes, 'PUT', '/items/8/tags', AUTO)).toBe(100);
  });

  test('if the user says so', () => {
    const off = { ...AUTO, withholdBody: 'off' } as const;
    expect(silentMs(having(evidence({ requestBody: 'withheld' })), 'POST', '/a', off)).toBe(0);
  });
});

describe('nothing is learned', () => {
  test('from a body that was not held: it would have come first in any case', () => {
    expect(silentMs(having(evidence({ requestBody: 'whole' }), 0), 'POST', '/a', AUTO)).toBe(100);
  });

  test('from a failure that no body can have caused', () => {
    expect(silentMs(having(silence({ ending: 'rst', requestBody: 'withheld' })), 'POST', '/a', AUTO)).toBe(
      100,
    );
    expect(silentMs(having(silence({ ending: 'timeout', requestBody: 'whole' })), 'POST', '/a', AUTO)).toBe(
      100,
    );
  });
});

test('the last thing learned counts', () => {
  const routes = having(evidence({ requestBody: 'withheld' }));
  routes.learn('POST', '/a', held(5000), 'complete', evidence({ requestBody: 'whole' }));
  expect(silentMs(routes, 'POST', '/a', AUTO)).toBe(0);
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
  for (let index = 0; index <= 1000; index += 1)
    routes.learn('POST', name(index), held(100), 'complete', early);
  expect([silentMs(routes, 'POST', name(0), AUTO), silentMs(routes, 'POST', name(1), AUTO)]).toEqual([
    100, 5000,
  ]);
});

describe('an upstream that says 100 (Continue)', () => {
  const continued = evidence({ requestBody: 'whole', expectation: 'continued' });

  test('is asked for it until it has shown that it does not say it', () => {
    expect(new Routes().hold('POST', '/a', AUTO).expectContinue).toBe(true);
    expect(having(continued).hold('POST', '/a', AUTO).expectContinue).toBe(true);
    const unanswered = having(evidence({ requestBody: 'whole', expectation: 'unanswered' }));
    expect(unanswered.hold('POST', '/a', AUTO).expectContinue).toBe(false);
    const refusing = evidence({
      head: { minor: 1, status: 417, reason: '', fields: [] },
      requestBody: 'withheld',
      expectation: 'unanswered',
    });
    expect(having(refusing).hold('POST', '/a', AUTO).expectContinue).toBe(false);
  });

  test('is still asked after a response that needed no body: it may say it when it reads one', () => {
    const early = having(evidence({ requestBody: 'withheld', expectation: 'unanswered' }));
    expect(early.hold('POST', '/b', AUTO).expectContinue).toBe(true);
  });

  test('is not asked when nothing is to be withheld', () => {
    const off = { ...AUTO, withholdBody: 'off' } as const;
    expect(new Routes().hold('POST', '/a', off).expectContinue).toBe(false);
  });

  test('is given time to say it on a route that said it before, and no other', () => {
    const early = having(evidence({ requestBody: 'withheld', expectation: 'continued' }));
    expect(early.hold('POST', '/a', AUTO)).toMatchObject({
      silentMs: 5000,
      continuedMs: 5000,
      saysContinue: true,
    });
    expect(early.hold('POST', '/b', AUTO)).toMatchObject({ silentMs: 100, saysContinue: false });
  });

  test('is asked on, once it was heard: some say it only for what reads the body', () => {
    const routes = having(continued);
    const silentAnswer = evidence({ requestBody: 'whole', expectation: 'unanswered' });
    routes.learn('POST', '/b', held(100), 'complete', silentAnswer);
    expect(routes.hold('POST', '/b', AUTO)).toMatchObject({ expectContinue: true, saysContinue: false });
  });

  test('is believed by what its route said last, also when the body went at once', () => {
    const routes = having(continued);
    expect(routes.hold('POST', '/a', AUTO).saysContinue).toBe(true);
    const silentAnswer = evidence({ requestBody: 'whole', expectation: 'unanswered' });
    routes.learn('POST', '/a', held(0), 'complete', silentAnswer);
    expect(routes.hold('POST', '/a', AUTO)).toMatchObject({ silentMs: 0, saysContinue: false });
  });

  test('is sent a body that it reads at once', () => {
    const { silentMs: silent, continuedMs } = having(continued).hold('POST', '/a', AUTO);
    expect([silent, continuedMs]).toEqual([0, 0]);
  });
});

describe('a restart', () => {
  const silentCut = silence({ ending: 'rst', requestBody: 'whole' });

  test.each([
    ['in silence', silentCut],
    ['after the 100 (Continue)', { ...silentCut, interimBytes: 25, expectation: 'continued' } as const],
  ])('takes back what was learned from a cut %s', (_name, cut) => {
    const routes = having(cut);
    expect(silentMs(routes, 'POST', '/a', AUTO)).toBe(5000);
    routes.upstreamIsAway();
    expect(silentMs(routes, 'POST', '/a', AUTO)).toBe(100);
  });

  test('leaves what was learned from a cut within a response', () => {
    const routes = having(evidence({ ending: 'rst', bodyBytes: 5, requestBody: 'whole' }));
    routes.upstreamIsAway();
    expect(silentMs(routes, 'POST', '/a', AUTO)).toBe(5000);
  });

  test('may bring another server, which has to say 100 (Continue) again', () => {
    const routes = having(evidence({ requestBody: 'whole', expectation: 'continued' }));
    routes.upstreamIsAway();
    expect(routes.hold('POST', '/a', AUTO)).toMatchObject({ silentMs: 0, saysContinue: false });
  });

  test('teaches nothing of a route whose request was never taken up', () => {
    const routes = having(evidence({ requestBody: 'whole', expectation: 'continued' }));
    const cut = { ...silentCut, expectation: 'unanswered' } as const;
    routes.learn('POST', '/a', { ...held(0), saysContinue: true }, judge(cut), cut);
    expect(silentMs(routes, 'POST', '/a', AUTO)).toBe(0);
  });
});
