import { describe, expect, test } from 'vitest';
import { resolveOptions } from '../../../src/config/resolve.ts';
import { explainAbsentAtStart, waitingNotice } from '../../../src/exchange/notices.ts';

const settings = resolveOptions({ target: '5173' });
const REASON = '127.0.0.1 ECONNREFUSED, ::1 ECONNREFUSED';
const refused = { reason: REASON, errorCode: 'ECONNREFUSED', answering: [] };

describe('at the start', () => {
  test('says that nothing listens yet, and that requests wait', () => {
    expect(explainAbsentAtStart(refused, settings)).toBe(
      `nothing listens at http://localhost:5173 yet (${REASON}); requests wait for it, up to 10 s each`,
    );
  });

  test('says where it may be instead', () => {
    expect(explainAbsentAtStart({ ...refused, answering: [8000] }, settings)).toContain(
      '; port 8000 answers on this machine: if that is your server, run lastbyte 8000',
    );
    expect(explainAbsentAtStart({ ...refused, answering: [3000, 4200, 8000] }, settings)).toContain(
      '; ports 3000, 4200 and 8000 answer on this machine',
    );
  });

  test.each([
    ['none may wait', refused, resolveOptions({ target: '5173', waitForUpstream: 0 })],
    ['waiting does not help', { ...refused, errorCode: 'DEPTH_ZERO_SELF_SIGNED_CERT' }, settings],
  ])('does not promise a wait when %s', (_, absent, inForce) => {
    expect(explainAbsentAtStart(absent, inForce)).toContain('requests are refused until then');
  });

  test('does not say that nothing listens where nobody knows', () => {
    const absent = { reason: 'ENOTFOUND', errorCode: 'ENOTFOUND', answering: [] };
    const inForce = resolveOptions({ target: 'django:8000' });
    expect(explainAbsentAtStart(absent, inForce)).toContain(
      'http://django:8000 cannot be reached yet (ENOTFOUND)',
    );
  });
});

test('a request that begins to wait tells how long it does', () => {
  expect(waitingNotice(refused, settings)).toEqual({
    target: 'http://localhost:5173',
    reason: REASON,
    answering: [],
    sentence: `nothing listens at http://localhost:5173 (${REASON}); a request is waiting for it, up to 10 s`,
  });
});
