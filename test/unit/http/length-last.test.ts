import { expect, test } from 'vitest';
import { lengthLast } from '../../../src/http/forwarding.ts';

test('a length goes after a Content-Disposition of bytes that Node would decode', () => {
  const fields = ['A', '1', 'content-length', '2', 'CONTENT-DISPOSITION', 'caf\xe9', 'B', '3'];
  expect(lengthLast(fields)).toEqual(
    ['A', '1', 'CONTENT-DISPOSITION', 'caf\xe9', 'B', '3'].concat('Content-Length', '2'),
  );
});

test.each([
  ['there is no such field', ['Content-Length', '2', 'A', '\xe9']],
  ['it is ASCII', ['Content-Length', '2', 'Content-Disposition', 'attachment']],
  ['there is no length', ['Content-Disposition', '\xe9', 'A', '1']],
])('all stay in their order where %s', (_, fields) => {
  expect(lengthLast(fields)).toBe(fields);
});
