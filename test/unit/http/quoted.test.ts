import { expect, test } from 'vitest';
import { quoted } from '../../../src/http/quoted.ts';

test.each([
  ['what is short, whole', 'a b', '"a b"'],
  ['what is long, by its start', 'x'.repeat(61), `"${'x'.repeat(60)}…"`],
  ['nothing after a name that promises a secret', 'X-Password: hunter2', '"X-Password…"'],
  ['quotes, backslashes and what a terminal obeys, escaped', '"\\\u001b', '"\\"\\\\\\x1b"'],
])('%s', (_what, text, shown) => {
  expect(quoted(text)).toBe(shown);
});
