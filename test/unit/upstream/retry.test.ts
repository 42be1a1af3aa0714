import { describe, expect, test } from 'vitest';
import { connectLimitMs, decide } from '../../../src/upstream/retry.ts';
import type { Circumstances, Decision } from '../../../src/upstream/retry.ts';
import { judge } from '../../../src/upstream/verdict.ts';
import { evidence, partOfHead, silence } from './evidence-fixtures.ts';

function decideOn(changes: Partial<Circumstances>): Decision {
  return decide({
    verdict: 'truncated',
    evidence: evidence({ ending: 'rst', bodyBytes: 5 }),
    refusesUnverifiable: false,
    repeatable: true,
    saysContinue: false,
    retriesLeft: 2,
    retriesMade: 0,
    freeRetryUsed: false,
    failsAlike: false,
    restarts: 0,
    waits: 0,
    waitLeftMs: 10_000,
    retryBackoffMs: 100,
    ...changes,
  });
}

const refused = (errorCode: string) =>
  silence({ ending: { kind: 'connect-failed', errorCode, timedOut: false, detail: null } });

test.each(['complete', 'unverifiable'] as const)('a response that is %s is delivered', (verdict) => {
  expect(decideOn({ verdict })).toEqual({ kind: 'deliver' });
});

test('an exchange whose client left is abandoned', () => {
  expect(decideOn({ verdict: 'abandoned' })).toEqual({ kind: 'abandon' });
});

test('a response over a limit is refused, not asked for again', () => {
  expect(decideOn({ verdict: 'over-limit' })).toEqual({ kind: 'refuse' });
});

test('what nothing proves whole is delivered, or refused where that is asked for', () => {
  const unverifiable: Partial<Circumstances> = {
    verdict: 'unverifiable',
    evidence: evidence({ ending: 'fin', framing: { kind: 'close' } }),
  };
  expect(decideOn(unverifiable)).toEqual({ kind: 'deliver' });
  expect(decideOn({ ...unverifiable, refusesUnverifiable: true })).toEqual({ kind: 'refuse' });
});

describe('a response that failed', () => {
  test.each(['truncated', 'malformed', 'no-response'] as const)('%s: is asked for again', (verdict) => {
    expect(decideOn({ verdict })).toEqual({ kind: 'retry', reason: 'retry', delayMs: 100 });
  });

  test('the delay doubles with each try', () => {
    expect(decideOn({ retriesMade: 2 })).toEqual({ kind: 'retry', reason: 'retry', delayMs: 400 });
  });

  test('is refused when no tries are left, unless a restart would explain it', () => {
    const malformed = evidence({ ending: 'parse-error' });
    expect(decideOn({ retriesLeft: 0, evidence: malformed })).toEqual({ kind: 'refuse' });
    for (const ending of ['fin', 'rst'] as const)
      expect(decideOn({ retriesLeft: 0, evidence: evidence({ ending }) })).toEqual({ kind: 'look' });
    expect(decideOn({ retriesLeft: 0, waitLeftMs: 0 })).toEqual({ kind: 'refuse' });
    expect(decideOn({ retriesLeft: 0, restarts: 9 })).toEqual({ kind: 'look' });
    expect(decideOn({ retriesLeft: 0, restarts: 10 })).toEqual({ kind: 'refuse' });
  });

  test('in the very same way as the one before is refused: a third would too', () => {
    expect(decideOn({ verdict: 'malformed', failsAlike: true })).toEqual({ kind: 'refuse' });
  });

  test('is refused when the request must not be sent twice', () => {
    expect(decideOn({ repeatable: false })).toEqual({ kind: 'refuse' });
  });

  test('is refused when the upstream was too slow: another try would only double the wait', () => {
    expect(decideOn({ evidence: silence({ ending: { kind: 'timeout', waitedFor: 'first-byte' } }) })).toEqual(
      {
        kind: 'refuse',
      },
    );
    expect(decideOn({ evidence: evidence({ ending: 'timeout' }) })).toEqual({
      kind: 'refuse',
    });
  });
});

describe('a connection that was closed while it was idle', () => {
  const stale = silence({ ending: 'rst', reusedConnection: true });

  test('costs no try', () => {
    const decision = decideOn({ verdict: 'no-response', evidence: stale, retriesLeft: 0 });
    expect(decision).toEqual({ kind: 'retry', reason: 'stale-connection', delayMs: 0 });
  });

  test('is freeRetryUsed once', () => {
    const decision = decideOn({ verdict: 'no-response', evidence: stale, freeRetryUsed: true });
    expect(decision).toEqual({ kind: 'retry', reason: 'retry', delayMs: 100 });
  });

  test('is not freeRetryUsed when the request must not be sent twice', () => {
    const decision = decideOn({ verdict: 'no-response', evidence: stale, repeatable: false });
    expect(decision).toEqual({ kind: 'refuse' });
  });

  test('is no excuse for a response that had begun', () => {
    const begun = partOfHead({ ending: 'rst', reusedConnection: true });
    expect(decideOn({ evidence: begun })).toEqual({ kind: 'retry', reason: 'retry', delayMs: 100 });
  });
});

describe('bytes on a used connection that are no response', () => {
  const leftover = partOfHead({ ending: 'parse-error', reusedConnection: true });

  test('are left over from the response before, and cost no try', () => {
    const decision = decideOn({ verdict: 'malformed', evidence: leftover, retriesLeft: 0 });
    expect(decision).toEqual({ kind: 'retry', reason: 'stale-connection', delayMs: 0 });
  });

  test.each([
    ['a second time', { evidence: leftover, freeRetryUsed: true }],
    ['on a new connection', { evidence: partOfHead({ ending: 'parse-error' }) }],
    [
      'after a head',
      { evidence: evidence({ ending: 'parse-error', framing: null, reusedConnection: true }) },
    ],
  ])('%s are a response that failed', (_name, changes) => {
    const decision = decideOn({ verdict: 'malformed', ...changes });
    expect(decision).toEqual({ kind: 'retry', reason: 'retry', delayMs: 100 });
  });
});

describe('a 408', () => {
  const head = { minor: 1, status: 408, reason: 'Request Timeout', fields: [] } as const;
  const goodbye = evidence({ head, reusedConnection: true });

  test('on a used connection is its goodbye, and costs no try', () => {
    const decision = decideOn({ verdict: 'complete', evidence: goodbye, retriesLeft: 0 });
    expect(decision).toEqual({ kind: 'retry', reason: 'stale-connection', delayMs: 0 });
  });

  test.each([
    ['on a new connection', { evidence: evidence({ head }) }],
    ['a second time', { evidence: goodbye, freeRetryUsed: true }],
    ['to a request that must not be sent twice', { evidence: goodbye, repeatable: false }],
  ])('%s is a response', (_name, changes) => {
    expect(decideOn({ verdict: 'complete', ...changes })).toEqual({ kind: 'deliver' });
  });
});

describe('an upstream that takes no connections', () => {
  test.each(['ECONNREFUSED', 'ENOENT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ETIMEDOUT'])(
    '%s: is waited for, whatever the method, since nothing was sent',
    (errorCode) => {
      const decision = decideOn({ verdict: 'no-response', evidence: refused(errorCode), repeatable: false });
      expect(decision).toEqual({ kind: 'wait', delayMs: 50 });
    },
  );

  test('is asked less and less often', () => {
    const delays = [0, 1, 2, 3, 4, 5].map((waits) =>
      decideOn({ verdict: 'no-response', evidence: refused('ECONNREFUSED'), waits }),
    );
    expect(delays.map((decision) => (decision.kind === 'wait' ? decision.delayMs : null))).toEqual([
      50, 100, 200, 400, 500, 500,
    ]);
  });

  test('is asked a last time when the wait is over, and not later', () => {
    const decision = decideOn({
      verdict: 'no-response',
      evidence: refused('ECONNREFUSED'),
      waits: 9,
      waitLeftMs: 120,
    });
    expect(decision).toEqual({ kind: 'wait', delayMs: 120 });
  });

  test('is given up when the wait is over', () => {
    const decision = decideOn({ verdict: 'no-response', evidence: refused('ECONNREFUSED'), waitLeftMs: 0 });
    expect(decision).toEqual({ kind: 'refuse' });
  });

  test('is given up when it went away too often under this request', () => {
    const away = { verdict: 'no-response', evidence: refused('ECONNREFUSED') } as const;
    expect(decideOn({ ...away, restarts: 10 })).toEqual({ kind: 'wait', delayMs: 50 });
    expect(decideOn({ ...away, restarts: 11 })).toEqual({ kind: 'refuse' });
  });

  test.each(['DEPTH_ZERO_SELF_SIGNED_CERT', 'EACCES', ''])('%s: is not cured by waiting', (errorCode) => {
    expect(decideOn({ verdict: 'no-response', evidence: refused(errorCode) })).toEqual({ kind: 'refuse' });
  });
});

describe('a request that must not be sent twice, and may be untouched', () => {
  const look = { kind: 'look' };

  test.each([
    ['with its body withheld', { ending: 'rst', requestBody: 'withheld' }, false],
    [
      'with its body sent, before the 100 (Continue) that its route always says',
      { ending: 'rst', requestBody: 'whole', expectation: 'unanswered' },
      true,
    ],
  ] as const)('is sent again only if the upstream went away: %s', (_name, changes, saysContinue) => {
    const seen = silence(changes);
    expect(decideOn({ verdict: 'no-response', evidence: seen, repeatable: false, saysContinue })).toEqual(
      look,
    );
  });

  test.each([
    [
      'closed in order before the usual 100 (Continue)',
      silence({ ending: 'fin', requestBody: 'withheld', expectation: 'unanswered' }),
      true,
    ],
    ['closed in order with its body withheld', silence({ ending: 'fin', requestBody: 'withheld' }), true],
    [
      'TLS was cut off',
      silence({
        ending: { kind: 'rst', errorCode: null, missesCloseNotify: true },
        requestBody: 'withheld',
      }),
      true,
    ],
    ['without a body nothing tells', silence({ ending: 'rst' }), true],
    [
      'its body was sent, and nobody knows what a silence means',
      silence({ ending: 'rst', requestBody: 'whole', expectation: 'unanswered' }),
      false,
    ],
    ['its body was sent without asking', silence({ ending: 'rst', requestBody: 'whole' }), true],
    [
      'it was taken up',
      silence({ ending: 'rst', requestBody: 'withheld', interimBytes: 25, expectation: 'continued' }),
      true,
    ],
    ['its response had begun', partOfHead({ ending: 'fin', requestBody: 'withheld' }), true],
    ['it was too slow', silence({ ending: 'timeout', requestBody: 'withheld' }), true],
  ] as const)('is not what this is: %s', (_name, seen, saysContinue) => {
    const decision = decideOn({ verdict: judge(seen), evidence: seen, repeatable: false, saysContinue });
    expect(decision).toEqual({ kind: 'refuse' });
  });
});

describe('417 (Expectation Failed)', () => {
  const head = { minor: 1, status: 417, reason: '', fields: [] } as const;
  const unexpected = evidence({ head, requestBody: 'withheld', expectation: 'unanswered' });

  test('to an expectation of our own is repeated without one, once', () => {
    const again = { kind: 'retry', reason: 'expectation-refused', delayMs: 0 };
    expect(decideOn({ verdict: 'complete', evidence: unexpected, repeatable: false })).toEqual(again);
    expect(decideOn({ verdict: 'complete', evidence: unexpected, freeRetryUsed: true })).toEqual({
      kind: 'deliver',
    });
  });

  test.each([
    ['nothing was expected', evidence({ head, requestBody: 'withheld' })],
    ['the body had been sent', evidence({ head, requestBody: 'whole', expectation: 'unanswered' })],
  ])('is a response when %s', (_name, seen) => {
    expect(decideOn({ verdict: 'complete', evidence: seen })).toEqual({ kind: 'deliver' });
  });
});

describe('a connect', () => {
  test.each([
    ['may take as long as --connect-timeout says', 5000, null, 5000],
    ['may take as long as the system lets it', 0, null, 0],
    ['ends with the wait that it is part of', 5000, 1200.4, 1201],
    ['ends with the wait also where no other limit is', 0, 1200.4, 1201],
    ['does not last longer because the wait is long', 5000, 8000, 5000],
    ['has the time to be refused in the last moment of a wait', 5000, -3, 100],
  ])('%s', (_, connectTimeoutMs, waitLeftMs, limitMs) => {
    expect(connectLimitMs(connectTimeoutMs, waitLeftMs)).toBe(limitMs);
  });
});
