import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Budget } from '../../../src/spool/budget.ts';
import type { Share, WaitEnd } from '../../../src/spool/budget.ts';

const WAIT_MS = 250;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

interface Waiting {
  readonly budget: Budget;
  readonly holders: readonly Share[];
  /** How the wait of a share for 60 of 100 bytes ended; null: it waits. */
  readonly end: () => WaitEnd | null;
}

/** Two shares hold half each, and a third one waits for 60. */
function waiting(mostWaits?: number): Waiting {
  const budget = new Budget(100, WAIT_MS, mostWaits);
  const holders = [budget.account().share(), budget.account().share()];
  for (const holder of holders) expect(holder.take(50)).toBe(true);
  let end: WaitEnd | null = null;
  expect(
    budget
      .account()
      .share()
      .takeLater(60, (how) => (end = how)),
  ).toBe(true);
  return { budget, holders, end: () => end };
}

/** One of them gives its half back, and takes it again before anybody else can. */
function passOn(holder: Share | undefined): void {
  holder?.release();
  holder?.take(50);
}

test('a wait ends in time where nothing comes free', () => {
  const { budget, end } = waiting(8);
  vi.advanceTimersByTime(WAIT_MS - 1);
  expect(end()).toBeNull();
  vi.advanceTimersByTime(1);
  expect([end(), budget.waiting, vi.getTimerCount()]).toEqual(['refused', 0, 0]);
});

test('a wait ends in time where less comes free than is needed', () => {
  const { holders, end } = waiting(8);
  passOn(holders[0]);
  vi.advanceTimersByTime(WAIT_MS);
  expect(end()).toBe('refused');
});

test('a wait goes on where enough comes free, but not for ever', () => {
  const { budget, holders, end } = waiting(3);
  for (let time = 1; time <= 3; time += 1) {
    expect(end(), `time ${time}`).toBeNull();
    holders.forEach(passOn);
    vi.advanceTimersByTime(WAIT_MS);
  }
  expect([end(), budget.waiting, vi.getTimerCount()]).toEqual(['refused', 0, 0]);
});

test('a wait that went on ends with the bytes', () => {
  const { budget, holders, end } = waiting(3);
  holders.forEach(passOn);
  vi.advanceTimersByTime(WAIT_MS);
  holders[0]?.release();
  expect(end()).toBeNull();
  holders[1]?.release();
  expect([end(), budget.usedBytes, vi.getTimerCount()]).toEqual(['taken', 60, 0]);
});

test('a wait goes on only where that was asked for', () => {
  const { holders, end } = waiting();
  holders.forEach(passOn);
  vi.advanceTimersByTime(WAIT_MS);
  expect(end()).toBe('refused');
});

test('the bodies of one exchange never wait for one another', () => {
  const budget = new Budget(100, WAIT_MS);
  const account = budget.account();
  expect(account.share().take(60)).toBe(true);
  expect(account.share().takeLater(41, () => undefined)).toBe(false);
  expect([budget.waiting, vi.getTimerCount()]).toEqual([0, 0]);
});

test('of exchanges that hold one body and wait for room for another, the youngest gives way at once', async () => {
  const budget = new Budget(100, WAIT_MS);
  const ends: [who: string, how: WaitEnd][] = [];
  const [older, younger] = [budget.account(), budget.account()];
  const held = [younger, older].map((account) => {
    const share = account.share();
    expect(share.take(40)).toBe(true);
    return share;
  });
  expect(younger.share().takeLater(50, (how) => ends.push(['younger', how]))).toBe(true);
  expect(older.share().takeLater(50, (how) => ends.push(['older', how]))).toBe(true);
  await Promise.resolve();
  expect(ends).toEqual([['younger', 'refused']]);
  held[0]?.release();
  expect(ends).toEqual([
    ['younger', 'refused'],
    ['older', 'taken'],
  ]);
  expect([budget.waiting, vi.getTimerCount()]).toEqual([0, 0]);
});
