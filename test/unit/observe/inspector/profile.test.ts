/** What is said of the upstream, and when. */

import { expect, test } from 'vitest';
import { profileSentences } from '../../../../src/observe/inspector/inspector.ts';

const NOTHING = {
  answers: 0,
  keeps_alive: 0,
  closes: 0,
  http_1_0: 0,
  cut: 0,
  resets: 0,
  resets_with_unread_body: 0,
  refused_connections: 0,
};

test.each([
  [{}, []],
  [{ answers: 3, keeps_alive: 3 }, ['It keeps its connections alive.']],
  [
    { answers: 3, closes: 3, http_1_0: 3 },
    ['It closes the connection after each response.', 'It answers with HTTP/1.0 (100 %).'],
  ],
  [
    { answers: 1000, closes: 1, keeps_alive: 999 },
    ['It closes the connection after less than 1 % of its responses.'],
  ],
  [{ resets: 1 }, ['It reset 1 connection.']],
  [{ refused_connections: 2 }, ['It took no connection 2 times: not running, or restarting.']],
])('of %j: %j', (counts, sentences) => {
  expect(profileSentences({ ...NOTHING, ...counts })).toEqual(sentences);
});

test('resets after a request body name the cause and the cure', () => {
  const [sentence] = profileSentences({ ...NOTHING, resets: 2, resets_with_unread_body: 2 });
  expect(sentence).toMatch(/^It reset 2 connections after .* unread\. .*--withhold-body/);
});
