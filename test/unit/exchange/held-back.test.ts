import { expect, test } from 'vitest';
import { HeldBackHints } from '../../../src/exchange/notices.ts';
import { DELIVERED } from '../observe/records.ts';

const [attempt] = DELIVERED.attempts;
if (attempt === undefined) throw new Error('no attempt');
const { evidence } = attempt;
const slow = { ...evidence, bodyBytes: 5000, arrival: { parts: 12, ms: 4200 } };

test('names the path as it can stand in a command, and how it came', () => {
  const hints = new HeldBackHints();
  expect(hints.hint('/chat/a b?token=1', slow)).toMatch(/in 12 parts over 4\.2 s .*--stream \/chat\/a$/);
  expect(hints.hint('/chat/a', slow)).toBeNull();
  expect(hints.hint("http://x/it's", slow)).toMatch(/--stream \/it$/);
  expect(hints.hint('*', slow)).toMatch(/--stream \/$/);
});

test.each([
  ['came at once', { ...slow, arrival: null }],
  ['came in no parts to speak of', { ...slow, arrival: { parts: 2, ms: 4200 } }],
  ['came soon', { ...slow, arrival: { parts: 12, ms: 1900 } }],
  ['is a large download', { ...slow, bodyBytes: 50e6 }],
  ['was not looked at', evidence],
])('says nothing of one that %s', (_what, seen) => {
  expect(new HeldBackHints().hint('/', seen)).toBeNull();
});

test('is bounded, whatever paths there are', () => {
  const hints = new HeldBackHints();
  for (let path = 0; path < 1000; path += 1) hints.hint(`/${path}`, slow);
  expect(hints.hint('/another', slow)).toBeNull();
});
